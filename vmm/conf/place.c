/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vmm/conf/number.h"
#include "vmm/pci/slot.h"

/* BUS:DEVICE[.FUNCTION], hexadecimal like every address. */
static int pci(const char *text, struct place *ret, struct err *e)
{
	const char *colon = strchr(text, ':'), *dot = strchr(text, '.');
	size_t n = dot ? (size_t)(dot - text) : strlen(text);
	uint64_t bus, device, function = 0;
	struct err ignored;

	if (!colon || (dot && dot < colon) ||
	    number_address(text, (size_t)(colon - text), &bus, &ignored) < 0 ||
	    number_address(colon + 1, n - (size_t)(colon + 1 - text), &device, &ignored) < 0 ||
	    (dot && number_address(dot + 1, strlen(dot + 1), &function, &ignored) < 0))
		return err_set(e, CONFIG, "'pci:%.40s' names no PCI function", text);
	if (bus != 0)
		return err_set(e, CONFIG, "'pci:%.40s': a board has PCI bus 0 only", text);
	if (device >= PCI_DEVICES || function >= PCI_FUNCTIONS)
		return err_set(e, CONFIG, "'pci:%.40s': devices are 0 to 0x%x, functions 0 to %d",
			       text, PCI_DEVICES - 1, PCI_FUNCTIONS - 1);
	ret->is_pci = true;
	ret->slot = (int)(device * PCI_FUNCTIONS + function);
	return 0;
}

int place_parse(const char *text, enum vdev_space space, struct place *ret, struct err *e)
{
	struct place p = {.space = space};
	const char *colon = strchr(text, ':');
	const char *comma;
	size_t n;

	if (colon) {
		n = (size_t)(colon - text);
		if (n == 3 && !memcmp(text, "mem", 3))
			p.space = VDEV_MEM;
		else if (n == 2 && !memcmp(text, "io", 2))
			p.space = VDEV_IO;
		else if (!(n == 3 && !memcmp(text, "pci", 3)))
			return err_set(e, CONFIG,
				       "'%.*s:' is no address space; there are mem:, io: and pci:",
				       n > 32 ? 32 : (int)n, text);
		text = colon + 1;
		if (n == 3 && colon[-1] == 'i') {
			if (pci(text, &p, e) < 0)
				return -1;
			*ret = p;
			return 0;
		}
	}
	comma = strchr(text, ',');
	n = comma ? (size_t)(comma - text) : strlen(text);
	if (number_address(text, n, &p.base, e) < 0)
		return -1;
	p.is_ambiguous = number_is_ambiguous(text, n);
	p.bytes = 1;
	if (comma) {
		p.has_length = true;
		if (number_size(comma + 1, strlen(comma + 1), &p.bytes, e) < 0)
			return -1;
		if (p.bytes == 0)
			return err_set(e, CONFIG, "a length of 0 is no place");
	}
	if (p.base >= place_end(p.space) || p.bytes > place_end(p.space) - p.base)
		return err_set(e, CONFIG, "%s 0x%" PRIx64 " lies beyond the last one, 0x%" PRIx64,
			       p.space == VDEV_IO ? "port" : "address", p.base + (p.bytes - 1),
			       place_end(p.space) - 1);
	*ret = p;
	return 0;
}

uint64_t place_end(enum vdev_space space)
{
	return space == VDEV_IO ? PLACE_IO_END : PLACE_MEM_END;
}

bool place_overlaps(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes;
}

const char *place_range(uint64_t base, uint64_t bytes, char ret[static PLACE_RANGE])
{
	snprintf(ret, PLACE_RANGE, "0x%" PRIx64 "-0x%" PRIx64, base, base + bytes - 1);
	return ret;
}
