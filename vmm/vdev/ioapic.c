/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ioapic - QNX's name for the I/O APIC. KVM's own answers, at one fixed address; vmm/x86/ makes it
 * when the board has one.
 */
#include "vmm/vdev/vdev.h"

enum { BASE = 0xfec00000, BYTES = 0x100 }; /* of KVM's ioapic */

static int ioapic_check(struct vdev *d, struct err *e)
{
	if (d->region[0].space != VDEV_MEM || d->region[0].base != BASE)
		return err_set(e, CONFIG,
			       "KVM's ioapic answers at 0x%x only: write loc 0x%x or leave it out",
			       BASE, BASE);
	return 0;
}

static const struct vdev_class ioapic = {
	.name = "ioapic",
	.summary = "I/O APIC (KVM's own)",
	.space = VDEV_MEM,
	.widths = VDEV_DWORD,
	.is_pic = true,
	.is_irqchip = true,
	.region = {{BASE, BYTES}},
	.intr = -1,
	.check = ioapic_check,
};
VDEV_REGISTER(ioapic);
