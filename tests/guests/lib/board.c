/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#include <stddef.h>

#include "port.h"
#include "pvh.h"

enum { MADT_SIGNATURE = 0x43495041 /* "APIC" */ };
enum { MADT_APIC = 0, MADT_IOAPIC = 1, MADT_X2APIC = 9, APIC_ENABLED = 1 };
enum { CPUID_HTT = 1 << 28, IOAPIC_VERSION = 1 };
#define USUAL_IOAPIC 0xfec00000u

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

static void read_madt(const uint8_t *madt, struct board *b)
{
	for (uint32_t at = 44; at + 2 <= word(madt + 4) && madt[at + 1]; at += madt[at + 1]) {
		if (madt[at] == MADT_IOAPIC && !b->ioapic_gpa)
			b->ioapic_gpa = word(madt + at + 4);
		if (madt[at] == MADT_APIC && word(madt + at + 4) & APIC_ENABLED &&
		    b->n_cpus < BOARD_CPUS)
			b->apic_id[b->n_cpus++] = madt[at + 3];
		if (madt[at] == MADT_X2APIC && word(madt + at + 8) & APIC_ENABLED &&
		    b->n_cpus < BOARD_CPUS)
			b->apic_id[b->n_cpus++] = (uint16_t)word(madt + at + 4);
	}
}

/* Logical processors of the package (Intel SDM, CPUID leaf 1); their ids count from 0. */
static unsigned count_by_cpuid(void)
{
	uint32_t r[4];
	unsigned n;

	port_cpuid(1, r);
	n = r[3] & CPUID_HTT ? r[1] >> 16 & 0xff : 1;
	return n < 1 ? 1 : n > BOARD_CPUS ? BOARD_CPUS : n;
}

static uint32_t look_for_ioapic(void)
{
	*(volatile uint32_t *)(uintptr_t)USUAL_IOAPIC = IOAPIC_VERSION;
	return *(volatile uint32_t *)(uintptr_t)(USUAL_IOAPIC + 0x10) == UINT32_MAX ? 0
										    : USUAL_IOAPIC;
}

void board_read(const struct pvh_info *info, struct board *ret_board)
{
	const uint8_t *rsdp = (const uint8_t *)(uintptr_t)info->rsdp_gpa;
	const uint8_t *madt = rsdp ? table_find(rsdp, MADT_SIGNATURE) : NULL;

	ret_board->n_cpus = 0;
	ret_board->ioapic_gpa = 0;
	if (madt) {
		read_madt(madt, ret_board);
		return;
	}
	ret_board->ioapic_gpa = look_for_ioapic();
	ret_board->n_cpus = count_by_cpuid();
	for (unsigned i = 0; i < ret_board->n_cpus; i++)
		ret_board->apic_id[i] = (uint16_t)i;
}
