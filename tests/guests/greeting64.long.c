/* SPDX-License-Identifier: Apache-2.0 */
/* greeting64 - one line from long mode, then power off. */
#include "pvh.h"
#include "say.h"

void guest_main(const struct pvh_info *info)
{
	(void)info;
	say("hello from long mode\n");
}
