/* SPDX-License-Identifier: Apache-2.0 */
#include "acpi.h"

#include <stddef.h>

#include "pvh.h"

enum { MADT_APIC = 0, MADT_IOAPIC = 1, APIC_ENABLED = 1 };

/* ACPI 6.4, 5.2.6 and 5.2.12. Tables need not be aligned: everything is read byte by byte. */
static uint32_t word(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static const uint8_t *table_find(const uint8_t *rsdp, uint32_t signature)
{
	const int is_xsdt = rsdp[15] >= 2 && word(rsdp + 24);
	const uint8_t *root = (const uint8_t *)(uintptr_t)word(rsdp + (is_xsdt ? 24 : 16));
	const uint32_t step = is_xsdt ? 8 : 4;

	for (uint32_t at = 36; root && at + step <= word(root + 4); at += step) {
		const uint8_t *t = (const uint8_t *)(uintptr_t)word(root + at);

		if (word(t) == signature)
			return t;
	}
	return NULL;
}

void acpi_read(const struct pvh_info *info, struct acpi_board *ret_board)
{
	const uint8_t *rsdp = (const uint8_t *)(uintptr_t)info->rsdp_gpa;
	const uint8_t *madt = rsdp ? table_find(rsdp, 0x43495041 /* "APIC" */) : NULL;
	unsigned n = 0;

	ret_board->ioapic_gpa = 0;
	for (uint32_t at = 44; madt && at + 2 <= word(madt + 4) && madt[at + 1];
	     at += madt[at + 1]) {
		if (madt[at] == MADT_IOAPIC && !ret_board->ioapic_gpa)
			ret_board->ioapic_gpa = word(madt + at + 4);
		if (madt[at] == MADT_APIC && word(madt + at + 4) & APIC_ENABLED &&
		    n < sizeof(ret_board->apic_id))
			ret_board->apic_id[n++] = madt[at + 3];
	}
	if (!n)
		ret_board->apic_id[n++] = 0;
	ret_board->n_cpus = n;
}
