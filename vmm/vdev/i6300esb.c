/* SPDX-License-Identifier: Apache-2.0 */
/*
 * i6300esb - the watchdog of Intel's 6300ESB I/O controller hub (its data sheet, order 300641, chapter
 * "Watchdog Timer"; Linux's driver drivers/watchdog/i6300esb.c), a PCI function. Two stages: the first
 * may interrupt, the second bites. Each is a down counter of PCI clocks behind a prescaler.
 *
 * The bite ends the VM, what follows is the supervisor's policy; the guest that set WDT_OUTPUT instead
 * of it only finds WDT_TIMEOUT set. An interrupt of the first stage is INTA here; of the chip's it is
 * line 10 of an I/O APIC of its own. Not there: SMI.
 */
#include <linux/pci_regs.h>

#include "base/clock.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/function.h"
#include "vmm/vdev/vdev.h"
#include "vmm/vdev/watchdog.h"

/* In configuration space. */
enum { CONFIG = 0x60, INT_TYPE = 3, INT_IRQ = 0, FREQ_1MHZ = 1 << 2, NO_OUTPUT = 1 << 5 };
enum { LOCK = 0x68, LOCKED = 1 << 0, ENABLE = 1 << 1, FREE_RUNNING = 1 << 2 };
/* In BAR 0. */
enum { PRELOAD_1 = 0x0, PRELOAD_2 = 0x4, GINTSR = 0x8, RELOAD = 0xc, BAR_BYTES = 16 };
enum { INT_ACTIVE = 1, RELOAD_NOW = 1 << 8, TIMED_OUT = 1 << 9, UNLOCK_1 = 0x80, UNLOCK_2 = 0x86 };
enum { PRELOAD_BITS = 0xfffff, SHIFT_1KHZ = 15, SHIFT_1MHZ = 5, PCI_MHZ = 33 };
enum { NS_PER_US = 1000, NS_PER_MS = 1000000 };

struct esb {
	struct pci_function function;
	uint32_t preload[2];
	unsigned n_unlocks; /* of the two writes that let the third through */
	unsigned stage;	    /* that is counted: 0, 1 */
	bool was_on, has_timed_out, interrupts;
};

/* --- time --- */

/* "One less than the intended period": zero is counted, too. */
static uint64_t stage_ns(const struct esb *w, unsigned stage)
{
	bool is_fast = pci_function_get(&w->function, CONFIG, 2) & FREQ_1MHZ;

	return ((w->preload[stage] + UINT64_C(1)) << (is_fast ? SHIFT_1MHZ : SHIFT_1KHZ)) *
	       NS_PER_US / PCI_MHZ;
}

static bool is_on(const struct esb *w)
{
	return pci_function_get(&w->function, LOCK, 1) & ENABLE;
}

static bool is_free_running(const struct esb *w)
{
	return pci_function_get(&w->function, LOCK, 1) & FREE_RUNNING;
}

/* A free-running timer has the second stage only. */
static void restart(struct esb *w, uint64_t now_ns)
{
	w->stage = is_free_running(w) ? 1 : 0;
	machine_alarm(w->function.vdev->machine, w->function.vdev, now_ns + stage_ns(w, w->stage));
}

static void drive_line(struct esb *w)
{
	pci_function_interrupt(&w->function, w->interrupts);
}

static void esb_alarm(struct vdev *d, uint64_t now_ns)
{
	struct esb *w = d->state;
	uint32_t config = pci_function_get(&w->function, CONFIG, 2);

	if (w->stage == 0) {
		w->stage = 1;
		machine_alarm(d->machine, d, now_ns + stage_ns(w, 1));
		if ((config & INT_TYPE) == INT_IRQ) {
			w->interrupts = true;
			drive_line(w);
		}
		return;
	}
	if (!(config & NO_OUTPUT)) {
		watchdog_bite(d, ((is_free_running(w) ? 0 : stage_ns(w, 0)) + stage_ns(w, 1)) /
					 NS_PER_MS);
		return;
	}
	w->has_timed_out = true;
	if (is_free_running(w))
		restart(w, now_ns);
}

/* --- registers --- */

static void after_write(struct pci_function *f, unsigned offset, unsigned width)
{
	struct esb *w = f->vdev->state;
	bool was_on = w->was_on;

	if (offset > LOCK || offset + width <= LOCK)
		return;
	/* Locked until the board is switched off. */
	if (pci_function_get(f, LOCK, 1) & LOCKED)
		pci_function_permit(f, LOCK, 1, 0);
	w->was_on = is_on(w);
	if (w->was_on && !was_on)
		restart(w, clock_mono_ns());
	else if (!w->was_on && was_on)
		machine_alarm(f->vdev->machine, f->vdev, 0);
}

static uint64_t esb_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	const struct esb *w = d->state;

	(void)region;
	(void)width;
	switch (offset) {
	case GINTSR: return w->interrupts ? INT_ACTIVE : 0;
	case RELOAD: return w->has_timed_out && width > 1 ? TIMED_OUT : 0;
	default: return 0; /* preloads are for writing */
	}
}

static void reload(struct esb *w, uint64_t value)
{
	if (value & TIMED_OUT)
		w->has_timed_out = false;
	if (!(value & RELOAD_NOW && is_on(w)))
		return;
	restart(w, clock_mono_ns());
	machine_sign(w->function.vdev->machine);
}

static void esb_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
		      uint64_t value)
{
	struct esb *w = d->state;

	(void)region;
	if (offset == GINTSR) {
		w->interrupts = w->interrupts && !(value & INT_ACTIVE);
		drive_line(w);
		return;
	}
	if (w->n_unlocks < 2) {
		bool is_next = offset == RELOAD && value == (w->n_unlocks ? UNLOCK_2 : UNLOCK_1);

		w->n_unlocks = is_next ? w->n_unlocks + 1 : 0;
		return;
	}
	w->n_unlocks = 0;
	if (offset == RELOAD && width > 1)
		reload(w, value);
	else if ((offset == PRELOAD_1 || offset == PRELOAD_2) && width == 4)
		w->preload[offset == PRELOAD_2] = value & PRELOAD_BITS;
}

/* --- its making --- */

static int esb_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	struct esb *w = d->state;
	struct pci_function *f = &w->function;

	(void)m;
	(void)e;
	pci_function_init(f, d,
			  &(struct pci_id){.vendor = 0x8086, .device = 0x25ab, .class = 0x088000});
	pci_function_enliven(f);
	pci_function_add_bar(f, 0, BAR_BYTES);
	pci_function_permit(f, CONFIG, 2, INT_TYPE | FREQ_1MHZ | NO_OUTPUT);
	pci_function_permit(f, LOCK, 1, LOCKED | ENABLE | FREE_RUNNING);
	f->after_write = after_write;
	w->preload[0] = w->preload[1] = PRELOAD_BITS;
	d->pci = f;
	return 0;
}

static const struct vdev_option options[] = {
	{"action", "[dump,]terminate",
	 "what a bite does: ends the VM with exit status 4, after a guest dump with `dump`",
	 watchdog_set_action},
	{NULL},
};

static const struct vdev_class i6300esb = {
	.name = "i6300esb",
	.summary = "PCI watchdog of two stages, for Linux's driver of that name",
	.is_pci = true,
	.widths = VDEV_BYTE | VDEV_WORD | VDEV_DWORD,
	.intr = -1,
	.state_bytes = sizeof(struct esb),
	.options = options,
	.assemble = esb_assemble,
	.read = esb_read,
	.write = esb_write,
	.alarm = esb_alarm,
};
VDEV_REGISTER(i6300esb);
