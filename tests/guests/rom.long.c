/* SPDX-License-Identifier: Apache-2.0 */
/* rom - writes to read-only memory at rom=ADDRESS (decimal; as it is 0xc0000) and reports what it
 * reads back. */
#include "pvh.h"
#include "say.h"
#include "trap.h"

void guest_main(const struct pvh_info *info)
{
	const uint64_t gpa = pvh_number(info, "rom", 0xc0000);
	uint8_t before = 0, after = 0;
	int trap;

	trap_load();
	trap_read8(gpa, &before);
	trap = trap_write8(gpa, (uint8_t)~before);
	if (trap != TRAP_NONE)
		say("writing to 0x%x raised %s\n", gpa, trap_name(trap));
	trap_read8(gpa, &after);
	say("rom at %x: read %x, wrote %x, reads %x: %s\n", gpa, (uint64_t)before,
	    (uint64_t)(uint8_t)~before, (uint64_t)after, after == before ? "kept" : "changed");
}
