/* SPDX-License-Identifier: Apache-2.0 */
/* smp - the boot vCPU wakes all others; each says its local APIC's number; the last word is that of
 * the boot vCPU, which powers off. */
#include "smp.h"

#include "board.h"
#include "lapic.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"

static volatile uint32_t lock, present;

static void arrive(unsigned apic_id)
{
	smp_lock(&lock);
	say("vCPU with APIC id %u is here\n", apic_id);
	present++;
	smp_unlock(&lock);
}

void guest_main(const struct pvh_info *info)
{
	struct board b;

	board_read(info, &b);
	trap_load();
	lapic_enable();
	arrive(lapic_id());
	for (unsigned i = 0; i < b.n_cpus; i++)
		if (b.apic_id[i] != lapic_id())
			smp_wake(b.apic_id[i], arrive);
	while (present < b.n_cpus)
		__builtin_ia32_pause();
	say("all %u vCPUs are here\n", b.n_cpus);
}
