/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vdev_bench.h - a vdev alone on a bench: the services of vmm/machine/machine.h answered by test_vdev.c,
 * which writes down what the vdev asked for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/blackbox.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"

/* What a vdev did to its machine. The vdevs' `struct machine *` is one of these. */
struct vdev_bench {
	struct vdev *vdev;
	struct blackbox_vdev counters;
	bool line;		/* level of its interrupt line */
	unsigned n_edges;	/* changes of that level */
	char console[256];	/* printed */
	unsigned n_console;	/* bytes printed; what is over 256 is counted only */
	unsigned n_alarms;	/* calls of machine_alarm */
	unsigned n_signs;	/* calls of machine_sign */
	unsigned n_dumps;	/* calls of machine_dump */
	unsigned n_ends;	/* calls of machine_end_by */
	struct machine_end end; /* the first one */
	/* Of a bus and those on it. */
	struct vdev *beside[4]; /* the other vdevs of the board, up to a NULL */
	uint32_t lines;		/* bit n = line n is high */
	unsigned n_messages;
	uint64_t message_address; /* of the last one */
	uint32_t message_data;
	struct {
		uint64_t gpa;
		int value, fd; /* -1 = any value */
	} bell[16];	       /* of machine_doorbell, those that are on */
	unsigned n_bells;
	uint8_t *memory; /* guest memory from address 0: RAM, but for the last page, which is ROM */
	uint64_t memory_bytes;
};

/* A vdev of that class, checked and assembled. */
void vdev_bench_open(struct vdev_bench *b, const char *class_name);
/* The two steps of it, for tests that set options or wants in between. */
void vdev_bench_make(struct vdev_bench *b, const char *class_name);
void vdev_bench_assemble(struct vdev_bench *b);
void vdev_bench_close(struct vdev_bench *b);
/* Set an option of the class; 0, or -1 with *e. */
int vdev_bench_option(struct vdev_bench *b, const char *name, const char *value, struct err *e);
/* It is now_ns: its alarm rings if the deadline, vdev->alarm_ns, has passed. */
void vdev_bench_pass(struct vdev_bench *b, uint64_t now_ns);
/* Guest accesses, at an address of its first regions: offset checked as space.c does. */
uint64_t vdev_bench_read(struct vdev_bench *b, uint64_t address, unsigned width);
void vdev_bench_write(struct vdev_bench *b, uint64_t address, unsigned width, uint64_t value);
