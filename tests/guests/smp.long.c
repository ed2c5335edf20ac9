/* SPDX-License-Identifier: Apache-2.0 */
/* smp - the boot vCPU wakes all others; each says its local APIC's number; the last word is that of
 * the boot vCPU, which powers off. */
#include "smp.h"

#include "acpi.h"
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
	struct acpi_board board;
	unsigned expected;

	acpi_read(info, &board);
	expected = (unsigned)pvh_number(info, "cpus", board.n_cpus);
	trap_load();
	lapic_enable();
	arrive(lapic_id());
	for (unsigned i = 0; i < expected; i++) {
		unsigned id = expected == board.n_cpus ? board.apic_id[i] : i;

		if (id != lapic_id())
			smp_wake(id, arrive);
	}
	while (present < expected)
		__builtin_ia32_pause();
	say("all %u vCPUs are here\n", expected);
}
