/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apic - QNX's name for the local APIC of each vCPU, on every board. KVM's own answers.
 */
#include "vmm/vdev/vdev.h"

enum { BASE = 0xfee00000, BYTES = 0x1000 };

static int apic_check(struct vdev *d, struct err *e)
{
	if (d->region[0].space != VDEV_MEM || d->region[0].base != BASE)
		return err_set(e, CONFIG,
			       "KVM's local APIC answers at 0x%x only: write loc 0x%x or leave it "
			       "out",
			       BASE, BASE);
	return 0;
}

static const struct vdev_class apic = {
	.name = "apic",
	.summary = "local APIC (KVM's own)",
	.space = VDEV_MEM,
	.widths = VDEV_DWORD,
	.is_implicit = true,
	.is_pic = true,
	.region = {{BASE, BYTES}},
	.intr = -1,
	.check = apic_check,
};
VDEV_REGISTER(apic);
