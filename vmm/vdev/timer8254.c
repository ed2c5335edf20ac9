/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer8254 - QNX's name for the interval timer. KVM's own answers, at its PC ports and on line 0;
 * vmm/x86/ makes it when the board has one.
 */
#include "vmm/vdev/vdev.h"

enum { BASE = 0x40, PORTS = 4, LINE = 0 };
enum { SPEAKER = 0x61 }; /* the gate of channel 2, which KVM's timer answers too */

static int timer8254_check(struct vdev *d, struct err *e)
{
	if (d->region[0].space != VDEV_IO || d->region[0].base != BASE)
		return err_set(e, CONFIG,
			       "KVM's timer8254 answers at io port 0x%x only: write loc 0x%x or "
			       "leave it out",
			       BASE, BASE);
	if (d->intr != LINE)
		return err_set(e, CONFIG,
			       "KVM's timer8254 is wired to line %d only: write intr PIC:%d or "
			       "leave it out",
			       LINE, LINE);
	return 0;
}

static const struct vdev_class timer8254 = {
	.name = "timer8254",
	.summary = "interval timer (KVM's own)",
	.space = VDEV_IO,
	.widths = VDEV_BYTE,
	.is_irqchip = true,
	.is_legacy_timer = true,
	.region = {{BASE, PORTS}, {SPEAKER, 1}},
	.intr = LINE,
	.check = timer8254_check,
};
VDEV_REGISTER(timer8254);
