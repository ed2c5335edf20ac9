/* SPDX-License-Identifier: Apache-2.0 */
/* nmi - tells each non-maskable interrupt that it gets, until power is cut. */
#include "port.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"

enum { NMI = 2 };

static unsigned count;

static void on_nmi(void)
{
	count++;
	say("NMI %U\n", (uint64_t)count);
}

void guest_main(const struct pvh_info *info)
{
	(void)info;
	trap_load();
	trap_handle(NMI, on_nmi);
	say("waiting\n");
	for (;;)
		__asm__ volatile("pause");
}
