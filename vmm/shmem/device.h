/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.h - the state of a vdev `shmem`, between the class (vmm/vdev/shmem.c), the registers that the
 * guest has of it (registers.c) and the regions that lie in its window (window.c). Worker; under the
 * vdev's lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/shmem.h"
#include "vmm/pci/function.h"
#include "vmm/pci/msix.h"
#include "vmm/shmem/bell.h"
#include "vmm/shmem/client.h"

enum { SHMEM_CONNECTIONS = BELL_WORDS, SHMEM_CREATES = 16 };

/* One region that the guest has: its control page, then its pages, in the window. */
struct shmem_connection {
	struct shmem_share share; /* head NULL = free */
	char name[SHMEM_NAME];
	uint64_t at;   /* offset in the window */
	unsigned slot; /* KVM's memslot for its pages */
	bool is_told;  /* the guest has been interrupted and has not read its status */
};

struct shmem {
	struct pci_function function;
	struct pci_msix msix;
	struct shmem_client client;
	struct bell bell;
	bool has_line; /* of one that is off the bus: the level of its line */
	/* configuration */
	char rules[SHMEM_RULES];
	size_t n_rules; /* bytes */
	struct {
		char name[SHMEM_NAME];
		uint32_t pages;
	} create[SHMEM_CREATES];
	unsigned n_creates;
	uint64_t window_bytes;
	/* the factory page */
	char name[SHMEM_NAME];
	uint32_t size, status, find;
	struct shmem_connection *found; /* that `shmem` is about; NULL = none */
	/* the window */
	uint64_t window_at; /* where KVM is to have its pages; 0 = nowhere */
	struct shmem_connection connection[SHMEM_CONNECTIONS];
};

/* --- window.c --- */

/* Attach to s->name, or make it with s->size pages. *ret is untouched on failure. */
enum shmem_status window_attach(struct vdev *d, struct shmem_connection **ret);
void window_detach(struct vdev *d, struct shmem_connection *c);
/* The guest reaches the window there now; 0 = nowhere. */
void window_move(struct vdev *d, uint64_t at);
/* The connection in whose pages that offset is, the control page its first; NULL = none. */
struct shmem_connection *window_find(struct shmem *s, uint64_t offset);
/* Bytes that a connection takes of the window. */
uint64_t window_span(const struct shmem_connection *c);

/* --- registers.c --- */

uint64_t shmem_read_factory(struct vdev *d, uint64_t offset, unsigned width);
void shmem_write_factory(struct vdev *d, uint64_t offset, unsigned width, uint64_t value);
/* The window: control pages; and the regions themselves where KVM does not have them. */
uint64_t shmem_read_window(struct vdev *d, uint64_t offset, unsigned width);
void shmem_write_window(struct vdev *d, uint64_t offset, unsigned width, uint64_t value);

/* --- vmm/vdev/shmem.c --- */

/* Where the guest finds its window, whether it answers there or not. */
uint64_t shmem_window_base(const struct vdev *d);
/* The interrupt that the guest gets, for the register `vector`. */
uint32_t shmem_vector(const struct vdev *d);
/* Have the line of the device agree with its connections. */
void shmem_drive(struct vdev *d);
