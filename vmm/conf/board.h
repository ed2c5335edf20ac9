/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board.h - the board that a configuration describes: what the machine will be assembled from.
 * Worker. Made by conf_read() (vmm/conf/conf.h), owned by the worker's main file.
 *
 * Numbers are bytes and guest-physical addresses (gpa); `line` is the configuration line that asked
 * for the part, for messages that name both places. What conf has accepted is internally sound: no
 * two parts answer the same address, port or interrupt line.
 */
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/name.h"
#include "base/partition.h"
#include "vmm/conf/loggers.h"

struct vdev;

enum { BOARD_PATH = 1024, BOARD_CMDLINE = 2048 };

struct board_memory {
	uint64_t gpa, bytes; /* multiples of 4 KiB */
	bool is_rom;
	unsigned line;
};

enum board_image {
	BOARD_IMAGE_AUTO,
	BOARD_IMAGE_DATA,
	BOARD_IMAGE_INITRD,
	BOARD_IMAGE_GUEST,
	BOARD_IMAGE_ACPI
};

enum board_sched { BOARD_SCHED_HOST, BOARD_SCHED_RR, BOARD_SCHED_FIFO, BOARD_SCHED_OTHER };

/* How the host runs a vCPU's thread. All zero: as it runs the worker, on any CPU. */
struct board_cpu {
	enum board_sched sched;
	unsigned priority; /* of sched(7), 1 to 99; 0 = none */
	bool is_pinned;
	cpu_set_t host; /* when pinned */
	unsigned line;
};

struct board_load {
	enum board_image type;
	bool has_gpa;
	uint64_t gpa;
	char path[BOARD_PATH]; /* resolved against the configuration's folder (path-base) */
	unsigned line;
	int fd; /* granted; -1 before */
};

/* What the guest meets where nobody answers: the `unsupported` option. */
enum board_reaction { BOARD_ABORT, BOARD_FAIL, BOARD_IGNORE };

struct board {
	char system[NAME_CAP]; /* "" when not given */
	struct board_memory *memory;
	unsigned n_memory;		/* sorted by gpa */
	unsigned n_cpus;		/* at least 1 */
	struct board_cpu *cpu;		/* of each; NULL = all as the host likes */
	char partition[PARTITION_NAME]; /* the budget of all of them; "" = the VM's own alone */
	struct board_load *load;
	unsigned n_loads; /* in order of the configuration */
	char cmdline[BOARD_CMDLINE];
	struct vdev **vdev; /* named ones in order, then the implicit ones that were not named */
	unsigned n_vdevs;
	struct {
		enum board_reaction instruction, reference, reg;
	} unsupported;
	struct loggers loggers; /* none = the default: fatal,internal,error,warn,info to stderr */
	char dump[BOARD_PATH];	/* a folder, or "|" and a shell command; "" = not given */
	unsigned dump_line;
	int dump_fd; /* a lone worker's folder, for its helper; -1 until opened */
	bool exit_on_halt;
	bool has_counter_offset; /* else the guest's counter starts at 0 */
	uint64_t counter_offset; /* guest minus host */
	bool dryrun;
};

/* Sum of all memory, RAM or ROM. */
uint64_t board_memory_bytes(const struct board *b, bool rom);
/* The highest real-time priority of its vCPUs; 0 = none has one. */
unsigned board_priority(const struct board *b);
/* The images are in guest memory: let go of their files, so that they may be replaced. */
void board_close_images(struct board *b);
struct board *board_free(struct board *b); /* frees vdevs, closes granted fds; returns NULL */
