/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registers - reads and writes registers of a teaching device of qemu (its docs/specs/edu.txt) that it
 * finds in memory at 0x40000000: the identification, and one that answers with the inverse.
 */
#include "power.h"
#include "pvh.h"
#include "say.h"

enum { EDU = 0x40000000, EDU_ID = 0, EDU_INVERSE = 4 };

static volatile uint32_t *edu(unsigned reg)
{
	return (volatile uint32_t *)(uintptr_t)(EDU + reg);
}

void guest_main(const struct pvh_info *info)
{
	(void)info;
	say("device %x\n", (uint64_t)*edu(EDU_ID));
	*edu(EDU_INVERSE) = 0x12345678;
	say("inverse %x\n", (uint64_t)*edu(EDU_INVERSE));
	power_off();
}
