/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pci-dummy - an inert, read-only PCI function: a place-holder, mostly at function 0 of a device whose
 * other functions are real. What it shows is set register by register; by default it is of QNX's
 * vendor and of no class (PCI Code and ID Assignment 1.11: 0xff, does not fit in any defined class).
 */
#include <linux/pci_regs.h>

#include "vmm/pci/function.h"
#include "vmm/pci/register.h"
#include "vmm/vdev/vdev.h"

struct dummy {
	struct pci_function function;
};

static int set_reg(struct vdev *d, const char *value, struct err *e)
{
	struct dummy *u = d->state;

	return pci_register_set(&u->function, value, e);
}

static int refuse_clone(struct vdev *d, const char *value, struct err *e)
{
	(void)d;
	return err_set(e, CONFIG,
		       "'clone %s' is not in this release: the worker sees no device of the host; "
		       "set what the guest looks at with `reg`",
		       value);
}

static void dummy_init(struct vdev *d)
{
	struct dummy *u = d->state;

	pci_function_init(&u->function, d, &(struct pci_id){.vendor = 0x1c05, .class = 0xff0000});
}

/* What stands in the way of being inert: capabilities and BARs would promise what is not there. */
static int dummy_check(struct vdev *d, struct err *e)
{
	const struct dummy *u = d->state;

	if (pci_function_get(&u->function, PCI_VENDOR_ID, 2) == 0xffff)
		return err_set(e, CONFIG, "Vendor_ID 0xffff says that nobody is there");
	return 0;
}

static int dummy_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	struct dummy *u = d->state;

	(void)m;
	(void)e;
	d->pci = &u->function;
	return 0;
}

static const struct vdev_option options[] = {
	{"reg", "REG=VALUE", "what a register reads: OFFSET/SIZE or a name like Vendor_ID",
	 set_reg},
	{"clone", "BDF", "the registers of a host function (not in this release)", refuse_clone},
	{NULL},
};

static const struct vdev_class pci_dummy = {
	.name = "pci-dummy",
	.summary = "inert PCI function",
	.is_pci = true,
	.intr = -1,
	.state_bytes = sizeof(struct dummy),
	.options = options,
	.init = dummy_init,
	.check = dummy_check,
	.assemble = dummy_assemble,
};
VDEV_REGISTER(pci_dummy);
