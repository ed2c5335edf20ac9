/* SPDX-License-Identifier: Apache-2.0 */
/*
 * irqchip.h - the interrupt controllers and the timer that KVM has in the kernel, behind QNX's names
 * `ioapic`, `8259`, `timer8254`. Worker; assembly only.
 *
 * Every board has local APICs. A board that names none of the three gets KVM's split irqchip, which
 * starts several times faster; the others the whole set, for KVM has no smaller one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct board;
struct space;

/* True if the board names a PIC or the PIT, so that interrupt lines (GSIs) exist. */
bool irqchip_is_whole(const struct board *b);
/* True if something of the whole set answers there: no vdev would ever hear of an access. */
bool irqchip_takes(uint64_t first, uint64_t last, bool is_port);
/* After the memslots, before the vCPUs. memory already holds the guest's RAM and ROM: KVM's own pages
 * (KVM_SET_TSS_ADDR, section 4.35; KVM_SET_IDENTITY_MAP_ADDR, 4.42) take a place that is free. */
int irqchip_create(const struct board *b, int vm_fd, struct space *memory, struct err *e);
/* What these answer without ever leaving the kernel, where no vdev has claimed the place. */
int irqchip_fill(const struct board *b, struct space *memory, struct space *port, struct err *e);
