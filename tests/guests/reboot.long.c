/* SPDX-License-Identifier: Apache-2.0 */
/* reboot - says so and resets the board; by=i8042 (as it is), by=port92 or by=cf9 on its command
 * line picks the way. */
#include "power.h"
#include "pvh.h"
#include "say.h"

void guest_main(const struct pvh_info *info)
{
	enum power_reset how = POWER_I8042;

	if (pvh_is(info, "by", "port92"))
		how = POWER_PORT92;
	if (pvh_is(info, "by", "cf9"))
		how = POWER_CF9;
	say("rebooting\n");
	power_reset(how);
}
