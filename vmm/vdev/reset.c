/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reset - the PC's two reset ports, on every board: port 0x92 (IBM PS/2 system control port A, bit
 * 0 is the fast reset, bit 1 the A20 gate) and port 0xcf9 (Intel ICH reset control register: RST_CPU,
 * bit 2, resets when it goes from 0 to 1). A20 is always open.
 */
#include "schemas/cause.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"

enum { REGION_PORT_92, REGION_PORT_CF9 };
enum { FAST_RESET = 1 << 0, A20 = 1 << 1 };
enum { SYS_RST = 1 << 1, RST_CPU = 1 << 2, FULL_RST = 1 << 3 };

struct reset {
	uint8_t port_92, port_cf9;
};

static uint64_t reset_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	const struct reset *r = d->state;

	(void)offset;
	(void)width;
	return region == REGION_PORT_92 ? r->port_92 | A20 : r->port_cf9;
}

static void reset_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
			uint64_t value)
{
	struct reset *r = d->state;

	(void)offset;
	(void)width;
	if (region == REGION_PORT_92) {
		if (value & FAST_RESET)
			machine_end_by(d->machine, CAUSE_REBOOT, 0, "reset port 0x92");
		r->port_92 = (uint8_t)(value & ~(uint64_t)FAST_RESET);
		return;
	}
	if ((value & RST_CPU) && !(r->port_cf9 & RST_CPU))
		machine_end_by(d->machine, CAUSE_REBOOT, 0, "reset port 0xcf9");
	r->port_cf9 = value & (SYS_RST | RST_CPU | FULL_RST);
}

static const struct vdev_class reset = {
	.name = "reset",
	.summary = "reset ports 0x92 and 0xcf9",
	.space = VDEV_IO,
	.widths = VDEV_BYTE,
	.is_implicit = true,
	/* A dword at 0xcf8 is for PCI's CONFIG_ADDRESS, also where there is none. */
	.region = {[REGION_PORT_92] = {0x92, 1}, [REGION_PORT_CF9] = {0xcf9, 1, true}},
	.intr = -1,
	.state_bytes = sizeof(struct reset),
	.read = reset_read,
	.write = reset_write,
};
VDEV_REGISTER(reset);
