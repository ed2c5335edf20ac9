/* SPDX-License-Identifier: Apache-2.0 */
/* exits - leaves the guest exits=N times (as it is 100000) from ring 3 by a write to the POST port
 * 0x80, then powers off. For benchmarks. */
#include "port.h"
#include "power.h"
#include "pvh.h"
#include "ring3.h"
#include "say.h"
#include "trap.h"

static uint64_t exits;

static void run(void)
{
	for (uint64_t n = 0; n < exits; n++)
		port_out8(0x80, 0);
	say("done\n");
	power_off();
}

void guest_main(const struct pvh_info *info)
{
	exits = pvh_number(info, "exits", 100000);
	trap_load();
	say("%U exits\n", exits);
	ring3_enter(run);
}
