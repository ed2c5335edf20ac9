/* SPDX-License-Identifier: Apache-2.0 */
/* msr - reads and writes a model-specific register that no processor has; msr=NUMBER (decimal)
 * picks another. */
#include "pvh.h"
#include "say.h"
#include "trap.h"

void guest_main(const struct pvh_info *info)
{
	const uint32_t msr = (uint32_t)pvh_number(info, "msr", 0x4b564d00 + 0x7777);
	uint64_t value = 0;
	int trap;

	trap_load();
	trap = trap_rdmsr(msr, &value);
	if (trap == TRAP_NONE)
		say("msr %x read: %x\n", (uint64_t)msr, value);
	else
		say("msr %x read: %s\n", (uint64_t)msr, trap_name(trap));
	trap = trap_wrmsr(msr, 1);
	say("msr %x write: %s\n", (uint64_t)msr, trap == TRAP_NONE ? "taken" : trap_name(trap));
}
