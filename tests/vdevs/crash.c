/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vdev that misbehaves, for tests of what becomes of its VM: what the guest writes to its port says
 * how. Reads give the byte at address 0 of the guest's memory.
 */
#include <qvm/vdev.h>
#include <string.h>
#include <unistd.h>

enum { CRASH = 1, FORBIDDEN = 2, BAD_CODE = 3, NO_ALARM = 4, CONSOLE = 5, LOG = 6, STUCK = 7 };

static volatile int *volatile nowhere;

static void misbehave(struct qvm_vdev *d, unsigned region, uint64_t offset, unsigned width,
		      uint64_t value)
{
	(void)region;
	(void)offset;
	(void)width;
	switch (value) {
	case CRASH: *nowhere = 1; break;
	case FORBIDDEN: (void)!rmdir("/nowhere"); break;
	case BAD_CODE: d->host->end(d, 7, "not mine to give"); break;
	case NO_ALARM: d->host->alarm(d, d->host->now(d) + 1); break;
	case CONSOLE:
		d->host->console(d, "hello from a vdev\n", strlen("hello from a vdev\n"));
		break;
	case LOG:
		for (unsigned i = 0; i < 1000; i++)
			d->host->log(d, "line");
		break;
	case STUCK:
		while (nowhere == NULL)
			;
	}
}

static uint64_t first_byte(struct qvm_vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	const volatile uint8_t *at = d->host->memory(d, 0, 1);

	(void)region;
	(void)offset;
	(void)width;
	return at && !d->host->memory(d, UINT64_MAX, 2) ? *at : 0xff;
}

const struct qvm_vdev_class qvm_vdev_class = {
	.abi = QVM_VDEV_ABI,
	.bytes = sizeof(struct qvm_vdev_class),
	.name = "crash",
	.summary = "a vdev that misbehaves",
	.space = QVM_VDEV_IO,
	.widths = QVM_VDEV_BYTE | QVM_VDEV_WORD,
	.region = {{0x5a0, 2}},
	.read = first_byte,
	.write = misbehave,
};
