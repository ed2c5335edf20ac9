/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debugcon - a port that prints what is written to it, as Bochs and QEMU have it at 0x402 and 0xe9:
 * firmware speaks there before it knows any other device. A read gives 0xe9, by which the guest knows
 * that somebody listens (SeaBIOS, src/fw/debugio.c).
 */
#include "schemas/message.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/hostdev.h"
#include "vmm/vdev/vdev.h"

enum { PORT = 0x402, READBACK = 0xe9 };

static uint64_t debugcon_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	(void)d;
	(void)region;
	(void)offset;
	(void)width;
	return READBACK;
}

static void debugcon_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
			   uint64_t value)
{
	uint8_t byte = (uint8_t)value;

	(void)region;
	(void)offset;
	(void)width;
	machine_counters(d->machine, d)->bytes_out++;
	machine_console(d->machine, (const char *)&byte, 1);
	/* The port knows no "busy": what a reader is too slow for is lost to it alone. */
	hostdev_send(d->hostdev, &byte, 1);
}

static int set_hostdev(struct vdev *d, const char *value, struct err *e)
{
	if (*value != '>' || !value[1] || value[1] == '|')
		return err_set(
			e, CONFIG,
			"hostdev '%s' is nothing that a debugcon can write to; write >FILE or "
			">-",
			value);
	return vdev_want(d, WANT_OUTPUT, value + 1, e);
}

static void debugcon_init(struct vdev *d)
{
	d->hostdev = hostdev_new(d);
}

static int debugcon_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	(void)m;
	(void)e;
	hostdev_open(d->hostdev);
	return 0;
}

static int debugcon_check(struct vdev *d, struct err *e)
{
	if (d->region[0].bytes != 1)
		return err_set(e, CONFIG, "a debugcon has 1 port: give its loc no length");
	return 0;
}

static const struct vdev_option options[] = {
	{"hostdev", "FORM", "the host's end: >FILE, or >- (console)", set_hostdev},
	{NULL},
};

static const struct vdev_class debugcon = {
	.name = "debugcon",
	.summary = "the debug port of firmware (beyond the original)",
	.space = VDEV_IO,
	.widths = VDEV_BYTE,
	.region = {{PORT, 1}},
	.intr = -1,
	.options = options,
	.init = debugcon_init,
	.check = debugcon_check,
	.assemble = debugcon_assemble,
	.read = debugcon_read,
	.write = debugcon_write,
	.syscalls = hostdev_syscalls,
};
VDEV_REGISTER(debugcon);
