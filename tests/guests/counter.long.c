/* SPDX-License-Identifier: Apache-2.0 */
/* counter - says its time stamp counter, in hexadecimal. */
#include "pvh.h"
#include "say.h"

void guest_main(const struct pvh_info *info)
{
	uint32_t low, high;

	(void)info;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	say("counter %x\n", (uint64_t)high << 32 | low);
}
