/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wdt-ib700 - the watchdog of the IB700 single board computer, after Linux's driver
 * (drivers/watchdog/ib700wdt.c): a write to the first port stops it, a write to the third starts it
 * anew with the time in the low four bits, 0xf = 0 s to 0x0 = 30 s in steps of 2 s. The port
 * between them takes nothing. Only writes are answered: a read is an unsupported reference.
 *
 * Off until the guest's first write to the third port. The bite ends the VM; what follows is the
 * supervisor's policy.
 */
#include "base/clock.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"
#include "vmm/vdev/watchdog.h"

enum { PORT_STOP = 0, PORT_START = 2, PORTS = 3 };
enum { TIME_MASK = 0xf, STEP_S = 2 };
enum { MS_PER_S = 1000 };
#define NS_PER_S UINT64_C(1000000000)

struct ib700 {
	uint64_t limit_s; /* of the last start */
};

static void wdt_ib700_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
			    uint64_t value)
{
	struct ib700 *w = d->state;

	(void)region;
	(void)width;
	if (offset == PORT_STOP) {
		machine_alarm(d->machine, d, 0);
	} else if (offset == PORT_START) {
		w->limit_s = (TIME_MASK - (value & TIME_MASK)) * STEP_S;
		machine_alarm(d->machine, d, clock_mono_ns() + w->limit_s * NS_PER_S);
		machine_sign(d->machine);
	}
}

static void wdt_ib700_alarm(struct vdev *d, uint64_t now_ns)
{
	const struct ib700 *w = d->state;

	(void)now_ns;
	watchdog_bite(d, w->limit_s * MS_PER_S);
}

static const struct vdev_option options[] = {
	{"action", "[dump,]terminate",
	 "what a bite does: ends the VM with exit status 4, after a guest dump with `dump`",
	 watchdog_set_action},
	{NULL},
};

static const struct vdev_class wdt_ib700 = {
	.name = "wdt-ib700",
	.summary = "watchdog: ends the VM when the guest stops feeding it",
	.space = VDEV_IO,
	.widths = VDEV_BYTE,
	.region = {{0x441, PORTS}},
	.intr = -1,
	.state_bytes = sizeof(struct ib700),
	.options = options,
	.write = wdt_ib700_write,
	.alarm = wdt_ib700_alarm,
};
VDEV_REGISTER(wdt_ib700);
