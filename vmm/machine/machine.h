/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine.h - one assembled machine: KVM VM, memory, address space, irqchip, vdevs, vCPU threads.
 * Worker; one per process, owned by link.c or alone.c. A machine runs once: a guest's reboot ends it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blackbox.h"
#include "base/err.h"
#include "schemas/cause.h"

struct board;
struct machine;
struct vdev;

/* How a machine ended. */
struct machine_end {
	enum cause cause;
	uint32_t exit_code; /* cause_exit(cause), or a vdev's own 32..63 */
	uint32_t vcpu;
	char detail[96];
	struct err err; /* code ERR_OK when there is none */
};

/*
 * Build everything: memory first, then irqchip, vdevs, images, vCPUs (the order decides the start
 * time). The vCPU threads exist and wait afterwards. Board and box stay the caller's and must
 * outlive the machine; kvm_fd (/dev/kvm) and ram_fd (memfd of all RAM and ROM) are borrowed.
 */
int machine_assemble(struct board *b, struct blackbox_map *box, int kvm_fd, int ram_fd,
		     struct machine **ret, struct err *e);
/* Let the vCPUs run. `started` is called once, on the boot vCPU's thread, right before the first
 * guest entry. */
void machine_start(struct machine *m, void (*started)(void *arg), void *arg);
/* At each heartbeat of the worker: notices a guest whose every vCPU has halted for good, which KVM
 * does not report (CAUSE_HALTED, after three beats). Costs a pread() per vCPU. */
void machine_beat(struct machine *m);
/* Let every vCPU stand between two instructions. Returns at once; machine_hold_fd() becomes readable
 * when the last one stands, with all registers in the box. Deadlines of vdevs rest meanwhile. */
void machine_hold(struct machine *m);
int machine_hold_fd(const struct machine *m); /* eventfd, owned by the machine */
/* The vCPUs go on; deadlines of vdevs are put off by the time that it took. */
void machine_release(struct machine *m);
/* Readable when a vdev's deadline may have passed (timerfd, owned by the machine); -1 in a hold. */
int machine_alarm_fd(const struct machine *m);
/* It is readable: call the vdevs whose deadline has passed. The thread that calls machine_beat(). */
void machine_serve_alarms(struct machine *m);
bool machine_is_held(struct machine *m); /* every vCPU stands now */
/* Before the start: ends of these classes (1 << enum cause_class) that leave a machine to be looked
 * at do not end it; its vCPUs stand instead, for good. machine_fault_fd() is readable then. */
void machine_freeze(struct machine *m, uint32_t classes);
int machine_fault_fd(const struct machine *m); /* eventfd, owned by the machine */
/* What happened; deadlines of vdevs rest from here on. The thread of machine_hold(). */
void machine_fault(struct machine *m, struct machine_end *ret);
/* Power button: true if a vdev says the guest will hear of it. */
bool machine_button(struct machine *m);
/* A non-maskable interrupt for the boot vCPU; in a hold it comes with the release. */
void machine_nmi(struct machine *m);
/* Bytes typed at the console: to every vdev that takes_console. Returns how many found no room. */
size_t machine_input(struct machine *m, const uint8_t *bytes, size_t n);
/* Bytes that one of those vdevs takes now: who does not read holds up nobody who does. Without any,
 * whatever is typed may come, and goes nowhere. */
size_t machine_input_room(struct machine *m);
/* End it: kicks every vCPU out of the guest. The first end counts, later ones are ignored. */
void machine_cut(struct machine *m, enum cause cause);
/* Readable once the machine has ended (eventfd, owned by the machine). */
int machine_end_fd(const struct machine *m);
/* Joins the vCPU threads; call after machine_end_fd() is readable. Registers are then in the box. */
void machine_join(struct machine *m, struct machine_end *ret);
struct machine *machine_free(struct machine *m);

/* --- services for vdevs, callable from any thread of the worker --- */

/* Drive interrupt line `line` of the board (GSI) to a level. */
void machine_interrupt(struct machine *m, struct vdev *d, bool level);
/* Have the class's alarm() called once at_ns (monotonic) has come, now if it is past; takes the place
 * of the vdev's deadline before. 0 = not at all. The caller holds its vdev's lock. To put a deadline
 * off costs no system call. */
void machine_alarm(struct machine *m, struct vdev *d, uint64_t at_ns);
/* The same for a line that is not the vdev's own: one of the PCI bus. */
void machine_line(struct machine *m, struct vdev *d, int line, bool level);
/* Does this board have interrupt lines? */
bool machine_has_lines(const struct machine *m);
/* A line that is held for a device of the host: counting the eventfd `raise` up asserts it; when the
 * guest ends its service of that line, whoever else is on it, the kernel lets go of it and counts up
 * `served`. So it is level-triggered for the guest. False undoes the same. */
struct machine_held {
	int line, raise, served;
};
int machine_hold_line(struct machine *m, const struct machine_held *h, bool is_on, struct err *e);
/* Message-signalled interrupt with what the guest has programmed; an address that is no local APIC's
 * interrupts nobody. */
void machine_message(struct machine *m, struct vdev *d, uint64_t address, uint32_t data);
/* Have KVM take the guest's writes to gpa, or only dwords of that value: they count the eventfd up
 * without an exit. False undoes the same. Where KVM refuses they are exits as before. */
void machine_doorbell(struct machine *m, uint64_t gpa, const uint32_t *value, int fd, bool is_on);
/* The board's vdevs in order, for a bus that looks for its own; NULL behind the last. */
struct vdev *machine_vdev(struct machine *m, unsigned i);
/* End the VM from a vdev. */
void machine_end_by(struct machine *m, enum cause cause, uint32_t exit_code, const char *detail);
/* The guest shall be dumped when the VM ends, which the caller brings about next. Where to is the
 * `dump` option's matter, or the supervisor's. */
void machine_dump(struct machine *m);
/* Guest memory: NULL unless [gpa, gpa + bytes) lies in one RAM or ROM range. */
void *machine_memory(struct machine *m, uint64_t gpa, uint64_t bytes);
/* The same, but NULL in ROM too: what a device may write to. */
void *machine_ram(struct machine *m, uint64_t gpa, uint64_t bytes);
/* Bytes of RAM without a gap from gpa on; 0 if there is none. */
uint64_t machine_ram_from(struct machine *m, uint64_t gpa);
unsigned machine_cpus(const struct machine *m);
/* The guest reaches the caller's mapping, of whole pages that outlive the KVM VM, without an exit: a
 * memslot, while the machine is assembled; where it is, then and later, in 0 bytes nowhere. On failure it
 * is nowhere. A write to one that is not writable is a fault access. */
unsigned machine_slot(struct machine *m);
int machine_place(struct machine *m, unsigned slot, uint64_t gpa, uint64_t bytes, void *host,
		  bool is_writable, struct err *e);
/* RAM range i in ascending order, for a device that accesses it by itself; false behind the last. */
struct machine_range {
	uint64_t gpa, bytes;
	void *host;
};
bool machine_ram_range(struct machine *m, unsigned i, struct machine_range *ret);
/* Print on the VM's console (black box). The caller holds its vdev's lock. */
void machine_console(struct machine *m, const char *bytes, size_t n);
/* The guest has given a sign of life on purpose: fed a watchdog, beaten. Any thread. */
void machine_sign(struct machine *m);
/* The row of a vdev in the black box, for its counters. */
struct blackbox_vdev *machine_counters(struct machine *m, const struct vdev *d);
/* The VM's name; "qvm-guest" when it has none. */
const char *machine_name(const struct machine *m);
/* The KVM VM fd and irqchip kind, for the vdevs that are names of KVM's own devices. */
int machine_vm_fd(const struct machine *m);
