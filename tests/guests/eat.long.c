/* SPDX-License-Identifier: Apache-2.0 */
/* eat - touches its memory page by page, from 4 MiB to mib=N (decimal), and tells how far it is. Then it
 * powers off, or spins for ever by then=stay. */
#include "power.h"
#include "pvh.h"
#include "say.h"

enum { MIB = 1 << 20, PAGE = 4096, FROM_MIB = 4, STEP_MIB = 8 };

void guest_main(const struct pvh_info *info)
{
	uint64_t most = pvh_number(info, "mib", 64);

	for (uint64_t mib = FROM_MIB; mib < most; mib++) {
		for (uint64_t at = 0; at < MIB; at += PAGE)
			*(volatile char *)(mib * MIB + at) = 1;
		if (mib % STEP_MIB == 0)
			say("ate %u MiB\n", mib);
	}
	say("had enough\n");
	while (pvh_is(info, "then", "stay"))
		;
	power_off();
}
