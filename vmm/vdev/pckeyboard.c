/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pckeyboard - the i8042 keyboard controller, minimal as QNX's: it exists so that a guest can
 * reboot through it (command 0xfe). After Intel's 8042 and IBM's PC/AT technical reference
 * (keyboard controller commands).
 *
 * The controller answers its self tests and keeps its command byte; no keyboard and no mouse are
 * plugged in, so bytes for them vanish.
 */
#include "schemas/cause.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"

enum { REGION_DATA, REGION_STATUS };
enum {
	STATUS_OUTPUT_FULL = 1 << 0,
	STATUS_SYSTEM = 1 << 2, /* self test passed */
	STATUS_COMMAND = 1 << 3,
	STATUS_UNLOCKED = 1 << 4,
};
enum {
	CMD_READ_BYTE = 0x20,
	CMD_WRITE_BYTE = 0x60,
	CMD_DISABLE_AUX = 0xa7,
	CMD_ENABLE_AUX = 0xa8,
	CMD_TEST_AUX = 0xa9,
	CMD_SELF_TEST = 0xaa,
	CMD_TEST_KEYBOARD = 0xab,
	CMD_DISABLE_KEYBOARD = 0xad,
	CMD_ENABLE_KEYBOARD = 0xae,
	CMD_READ_INPUT = 0xc0,
	CMD_READ_OUTPUT = 0xd0,
	CMD_WRITE_OUTPUT = 0xd1,
	CMD_WRITE_KEYBOARD_BUFFER = 0xd2,
	CMD_WRITE_AUX = 0xd4,
	CMD_PULSE = 0xf0, /* 0xf0 to 0xff: pulse the output lines whose bit is 0 */
};
enum { BYTE_INTERRUPT = 1 << 0, BYTE_SYSTEM = 1 << 2, BYTE_KEYBOARD_OFF = 1 << 4 };
enum { BYTE_AUX_OFF = 1 << 5 };
enum { OUTPUT_NOT_RESET = 1 << 0, OUTPUT_A20 = 1 << 1 };
enum { SELF_TEST_PASSED = 0x55, TEST_GOOD = 0x00, TEST_CLOCK_LOW = 0x01, INPUT_UNLOCKED = 0x80 };

struct i8042 {
	uint8_t command_byte, output_port, data, pending; /* pending: command that awaits a byte */
	bool is_full, last_was_command, line_high;
};

static void update(struct vdev *d)
{
	struct i8042 *k = d->state;
	bool high = k->is_full && (k->command_byte & BYTE_INTERRUPT);

	if (d->intr < 0 || high == k->line_high)
		return;
	k->line_high = high;
	machine_interrupt(d->machine, d, high);
}

static void answer(struct i8042 *k, uint8_t byte)
{
	k->data = byte;
	k->is_full = true;
}

static void reset_guest(struct vdev *d)
{
	machine_end_by(d->machine, CAUSE_REBOOT, 0, "i8042 reset");
}

static void command(struct vdev *d, uint8_t byte)
{
	struct i8042 *k = d->state;

	k->pending = 0;
	k->last_was_command = true;
	switch (byte) {
	case CMD_READ_BYTE: answer(k, k->command_byte); break;
	case CMD_WRITE_BYTE:
	case CMD_WRITE_OUTPUT:
	case CMD_WRITE_KEYBOARD_BUFFER:
	case CMD_WRITE_AUX: k->pending = byte; break;
	case CMD_DISABLE_AUX: k->command_byte |= BYTE_AUX_OFF; break;
	case CMD_ENABLE_AUX: k->command_byte &= (uint8_t)~BYTE_AUX_OFF; break;
	case CMD_TEST_AUX: answer(k, TEST_CLOCK_LOW); break;
	case CMD_SELF_TEST:
		k->command_byte |= BYTE_SYSTEM;
		answer(k, SELF_TEST_PASSED);
		break;
	case CMD_TEST_KEYBOARD: answer(k, TEST_GOOD); break;
	case CMD_DISABLE_KEYBOARD: k->command_byte |= BYTE_KEYBOARD_OFF; break;
	case CMD_ENABLE_KEYBOARD: k->command_byte &= (uint8_t)~BYTE_KEYBOARD_OFF; break;
	case CMD_READ_INPUT: answer(k, INPUT_UNLOCKED); break;
	case CMD_READ_OUTPUT: answer(k, k->output_port); break;
	default:
		if (byte >= CMD_PULSE && !(byte & OUTPUT_NOT_RESET))
			reset_guest(d);
		break;
	}
}

static void data(struct vdev *d, uint8_t byte)
{
	struct i8042 *k = d->state;
	uint8_t pending = k->pending;

	k->pending = 0;
	k->last_was_command = false;
	if (pending == CMD_WRITE_BYTE) {
		k->command_byte = byte;
	} else if (pending == CMD_WRITE_OUTPUT) {
		k->output_port = byte;
		if (!(byte & OUTPUT_NOT_RESET))
			reset_guest(d);
	} else if (pending == CMD_WRITE_KEYBOARD_BUFFER) {
		answer(k, byte);
	}
}

static uint64_t pckeyboard_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	struct i8042 *k = d->state;
	uint8_t value;

	(void)offset;
	(void)width;
	if (region == REGION_STATUS)
		return STATUS_UNLOCKED | (k->is_full ? STATUS_OUTPUT_FULL : 0) |
		       (k->last_was_command ? STATUS_COMMAND : 0) |
		       (k->command_byte & BYTE_SYSTEM ? STATUS_SYSTEM : 0);
	value = k->data;
	k->is_full = false;
	update(d);
	return value;
}

static void pckeyboard_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
			     uint64_t value)
{
	(void)offset;
	(void)width;
	if (region == REGION_STATUS)
		command(d, (uint8_t)value);
	else
		data(d, (uint8_t)value);
	update(d);
}

static void pckeyboard_init(struct vdev *d)
{
	struct i8042 *k = d->state;

	k->command_byte = BYTE_SYSTEM | BYTE_KEYBOARD_OFF | BYTE_AUX_OFF;
	k->output_port = OUTPUT_NOT_RESET | OUTPUT_A20;
}

static const struct vdev_class pckeyboard = {
	.name = "pckeyboard",
	.summary = "keyboard controller, for a guest's reboot",
	.space = VDEV_IO,
	.widths = VDEV_BYTE,
	.region = {[REGION_DATA] = {0x60, 1}, [REGION_STATUS] = {0x64, 1}},
	.intr = 1,
	.state_bytes = sizeof(struct i8042),
	.init = pckeyboard_init,
	.read = pckeyboard_read,
	.write = pckeyboard_write,
};
VDEV_REGISTER(pckeyboard);
