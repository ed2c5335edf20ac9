/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pci-dummy - an inert, read-only PCI function: a place-holder, mostly at function 0 of a device whose
 * other functions are real. What it shows is set register by register; by default it is of QNX's
 * vendor and of no class (PCI Code and ID Assignment 1.11: 0xff, does not fit in any defined class).
 */
#include <inttypes.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/pci/function.h"
#include "vmm/vdev/vdev.h"

struct dummy {
	struct pci_function function;
};

/* The names of the original. */
static const struct {
	const char *name;
	unsigned offset, width;
} registers[] = {
	{"Vendor_ID", PCI_VENDOR_ID, 2},	  {"Device_ID", PCI_DEVICE_ID, 2},
	{"Revision_ID", PCI_REVISION_ID, 1},	  {"Class_Code[0]", PCI_CLASS_PROG, 1},
	{"Class_Code[1]", PCI_CLASS_PROG + 1, 1}, {"Class_Code[2]", PCI_CLASS_PROG + 2, 1},
	{"Header_Type", PCI_HEADER_TYPE, 1},	  {"Sub_Vendor_ID", PCI_SUBSYSTEM_VENDOR_ID, 2},
	{"Sub_System_ID", PCI_SUBSYSTEM_ID, 2},
};

static const char form[] = "write `reg OFFSET/SIZE=VALUE` with a size of 1, 2, 4 or 8, or "
			   "`reg NAME=VALUE`";

/* A whole word as a number, hexadecimal with 0x. */
static bool number(const char *text, size_t n, uint64_t *ret)
{
	char word[24], *end;

	if (n == 0 || n >= sizeof word || text[0] < '0' || text[0] > '9')
		return false;
	memcpy(word, text, n);
	word[n] = '\0';
	errno = 0;
	*ret = strtoull(word, &end, 0);
	return *end == '\0' && errno == 0;
}

static bool find_named(const char *name, size_t n, uint64_t *ret_offset, uint64_t *ret_width)
{
	for (size_t i = 0; i < NELEMS(registers); i++) {
		if (strlen(registers[i].name) != n || memcmp(registers[i].name, name, n) != 0)
			continue;
		*ret_offset = registers[i].offset;
		*ret_width = registers[i].width;
		return true;
	}
	return false;
}

static int set_reg(struct vdev *d, const char *value, struct err *e)
{
	struct dummy *u = d->state;
	const char *equals = strchr(value, '='), *slash = strchr(value, '/');
	uint64_t offset, width, n;

	if (!equals || !number(equals + 1, strlen(equals + 1), &n))
		return err_set(e, CONFIG, "'reg %s' gives no register a number; %s", value, form);
	if (slash && slash < equals) {
		if (!number(value, (size_t)(slash - value), &offset) ||
		    !number(slash + 1, (size_t)(equals - slash - 1), &width) ||
		    (width != 1 && width != 2 && width != 4 && width != 8))
			return err_set(e, CONFIG, "'reg %s' names no register; %s", value, form);
		if (offset > PCI_CONFIG - width)
			return err_set(e, CONFIG,
				       "'reg %s': the registers of a function end at 0x%x", value,
				       PCI_CONFIG - 1);
	} else if (!find_named(value, (size_t)(equals - value), &offset, &width)) {
		return err_set(e, CONFIG,
			       "'reg %s': there are Vendor_ID, Device_ID, Revision_ID, "
			       "Class_Code[0] to [2], Header_Type, Sub_Vendor_ID, Sub_System_ID",
			       value);
	}
	if (width < 8 && n >> (8 * width))
		return err_set(e, CONFIG, "'reg %s': 0x%" PRIx64 " does not fit in %u byte%s",
			       value, n, (unsigned)width, width == 1 ? "" : "s");
	for (unsigned i = 0; i < width; i++)
		u->function.config[offset + i] = (uint8_t)(n >> (8 * i));
	return 0;
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
