/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 8259 - QNX's name for the pair of legacy interrupt controllers, as one vdev or, as the original's
 * files have it, as one for each. KVM's own answer, at their PC ports; vmm/x86/ makes them when the
 * board has them.
 */
#include "vmm/vdev/vdev.h"

enum { MASTER = 0x20, SLAVE = 0xa0, PORTS = 2 };

static int pic8259_check(struct vdev *d, struct err *e)
{
	for (unsigned i = 0; i < d->n_regions; i++)
		if (d->region[i].space != VDEV_IO ||
		    (d->region[i].base != MASTER && d->region[i].base != SLAVE))
			return err_set(e, CONFIG,
				       "KVM's 8259 pair answers at io ports 0x%x and 0xa0 only: "
				       "write loc 0x20 and loc 0xa0, in one vdev or in two, or "
				       "leave both out",
				       MASTER);
	return 0;
}

static const struct vdev_class pic8259 = {
	.name = "8259",
	.summary = "legacy interrupt controllers (KVM's own)",
	.space = VDEV_IO,
	.widths = VDEV_BYTE,
	.is_pic = true,
	.is_irqchip = true,
	.is_in_parts = true,
	.region = {{MASTER, PORTS}, {SLAVE, PORTS}},
	.intr = -1,
	.check = pic8259_check,
};
VDEV_REGISTER(pic8259);
