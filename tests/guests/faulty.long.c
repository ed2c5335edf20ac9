/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faulty - works for after=MS milliseconds (as it is 1000), then does what its command line says:
 * do=triple, hang, halt, instruction, reference, stuck, deaf, off or reboot. With beat=1 it beats at port
 * 0x5e0 as long as it works. For tests of the safe state.
 */
#include "lapic.h"
#include "port.h"
#include "power.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"

enum { HZ = 100, HEARTBEAT = 0x5e0, CRASH = 0x5a0, STUCK = 7 };

static void tick(void)
{
	lapic_eoi();
}

static void triple(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) empty;

	__asm__ volatile("lidt %0; ud2" : : "m"(empty));
}

static void hang(void)
{
	for (;;)
		__asm__ volatile("");
}

static void halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void instruction(void)
{
	uint32_t value;

	trap_popcnt(0xd0000000, &value);
}

static void reference(void)
{
	uint8_t value;

	trap_read8(0xd0000000, &value);
}

/* In the vdev `crash`: its handler does not come back. */
static void stuck(void)
{
	port_out8(CRASH, STUCK);
}

/* It asks for its power button's presses, and looks at none. */
static void deaf(void)
{
	power_button_enable();
	say("faulty: deaf to it\n");
	hang();
}

static void reboot(void)
{
	power_reset(POWER_I8042);
}

static const struct {
	const char *name;
	void (*fn)(void);
} fault[] = {
	{"triple", triple},	      {"hang", hang},		{"halt", halt},
	{"instruction", instruction}, {"reference", reference}, {"off", power_off},
	{"reboot", reboot},	      {"stuck", stuck},		{"deaf", deaf},
};

void guest_main(const struct pvh_info *info)
{
	const uint64_t after_ms = pvh_number(info, "after", 1000);

	trap_load();
	trap_handle(TRAP_TIMER, tick);
	lapic_enable();
	lapic_timer(TRAP_TIMER, HZ);
	say("faulty: working for %U ms\n", after_ms);
	for (uint64_t ticks = 0; ticks * 1000 < after_ms * HZ; ticks++) {
		port_sleep();
		if (pvh_is(info, "beat", "1"))
			port_out8(HEARTBEAT, 1);
	}
	for (unsigned i = 0; i < sizeof(fault) / sizeof(fault[0]); i++) {
		if (!pvh_is(info, "do", fault[i].name))
			continue;
		say("faulty: now %s\n", fault[i].name);
		fault[i].fn();
		say("faulty: survived it\n");
		return;
	}
	say("faulty: do= names none of my faults, I switch myself off\n");
}
