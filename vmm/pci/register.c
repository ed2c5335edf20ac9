/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/pci/register.h"

#include <inttypes.h>
#include <linux/pci_regs.h>
#include <stdbool.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/conf/number.h"
#include "vmm/pci/function.h"

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

static bool number(const char *text, size_t n, uint64_t *ret)
{
	struct err unused;

	return number_plain(text, n, ret, &unused) == 0;
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

int pci_register_set(struct pci_function *f, const char *value, struct err *e)
{
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
		f->config[offset + i] = (uint8_t)(n >> (8 * i));
	return 0;
}
