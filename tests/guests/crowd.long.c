/* SPDX-License-Identifier: Apache-2.0 */
/* crowd - more vCPUs than an 8-bit APIC id numbers: the boot vCPU wakes all others in x2APIC mode by the
 * ids of the MADT, and counts who came; it powers off. */
#include "smp.h"

#include "board.h"
#include "lapic.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"

static volatile uint32_t lock, present, strangers, highest;
static volatile uint8_t came[BOARD_CPUS];

static void arrive(unsigned apic_id)
{
	smp_lock(&lock);
	if (apic_id >= BOARD_CPUS || came[apic_id])
		strangers++;
	else
		came[apic_id] = 1;
	if (apic_id > highest)
		highest = apic_id;
	present++;
	smp_unlock(&lock);
}

void guest_main(const struct pvh_info *info)
{
	static struct board b;

	board_read(info, &b);
	say("the MADT names %u vCPUs\n", b.n_cpus);
	trap_load();
	lapic_use_x2apic();
	lapic_enable();
	arrive(lapic_id());
	for (unsigned i = 0; i < b.n_cpus; i++)
		if (b.apic_id[i] != lapic_id())
			smp_wake(b.apic_id[i], arrive);
	while (present < b.n_cpus)
		__builtin_ia32_pause();
	say("%u vCPUs are here, %u strangers, the highest APIC id is %u\n", present, strangers,
	    highest);
}
