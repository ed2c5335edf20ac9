/* SPDX-License-Identifier: Apache-2.0 */
/* cpuid - says which hypervisors the processor names, in the steps in which guests search them. */
#include "pvh.h"
#include "say.h"

static void cpuid(uint32_t leaf, uint32_t r[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(0));
}

static void name(const uint32_t r[4], char ret[13])
{
	for (int i = 0; i < 12; i++)
		ret[i] = (char)(r[1 + i / 4] >> 8 * (i % 4));
	ret[12] = '\0';
}

void guest_main(const struct pvh_info *info)
{
	char vendor[13];
	uint32_t r[4];

	(void)info;
	cpuid(1, r);
	say("hypervisor bit: %u\n", (uint64_t)(r[2] >> 31));
	for (uint32_t leaf = 0x40000000; leaf < 0x40000300; leaf += 0x100) {
		cpuid(leaf, r);
		if (r[0] < leaf || r[0] > leaf + 0xff)
			continue;
		name(r, vendor);
		say("leaf %x to %x: %s\n", (uint64_t)leaf, (uint64_t)r[0], vendor);
	}
	cpuid(0x40000001, r);
	say("clock: %u\n", (uint64_t)(r[0] >> 3 & 1));
	cpuid(0x40000101, r);
	say("safety: %u\n", (uint64_t)(r[0] & 1));
}
