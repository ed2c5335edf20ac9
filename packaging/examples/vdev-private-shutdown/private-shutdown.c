/* SPDX-License-Identifier: Apache-2.0 */
/*
 * private-shutdown - a guest with a shutdown method of its own: it writes a magic word to an I/O port,
 * and the VM ends with an exit status of its own. One line builds it:
 *
 *	cc -shared -fPIC -o vdev-private-shutdown.so private-shutdown.c $(pkg-config --cflags qvm-vdev)
 *
 * Put it into /usr/lib/qvm/vdev, owned by root. Then a configuration may say
 *
 *	vdev private-shutdown loc io:0x5a0 code 42
 */
#include <stdio.h>
#include <stdlib.h>

#include <qvm/vdev.h>

#define MAGIC 0xdead

struct private_shutdown {
	unsigned code; /* exit status of the VM */
	unsigned n_wrong;
};

static void init(struct qvm_vdev *d)
{
	struct private_shutdown *s = d->state;

	s->code = 42;
}

static int set_code(struct qvm_vdev *d, const char *value, char *why, size_t why_bytes)
{
	struct private_shutdown *s = d->state;
	char *end;
	unsigned long code = strtoul(value, &end, 10);

	if (*end || code < QVM_VDEV_END_LEAST || code > QVM_VDEV_END_MOST) {
		snprintf(why, why_bytes,
			 "'%.32s' is no exit status of a vdev: write one from %d to %d", value,
			 QVM_VDEV_END_LEAST, QVM_VDEV_END_MOST);
		return -1;
	}
	s->code = (unsigned)code;
	return 0;
}

static void port_write(struct qvm_vdev *d, unsigned region, uint64_t offset, unsigned width,
		       uint64_t value)
{
	struct private_shutdown *s = d->state;

	(void)region;
	if (offset == 0 && width == 2 && value == MAGIC)
		d->host->end(d, s->code, "the guest used its private shutdown method");
	else
		s->n_wrong++;
}

static void status(struct qvm_vdev *d, char *text, size_t bytes)
{
	const struct private_shutdown *s = d->state;

	snprintf(text, bytes, "%u writes of something else", s->n_wrong);
}

static const struct qvm_vdev_option options[] = {
	{"code", "STATUS", "exit status of the VM, 32 to 63 (default 42)", set_code},
	{NULL, NULL, NULL, NULL},
};

const struct qvm_vdev_class qvm_vdev_class = {
	.abi = QVM_VDEV_ABI,
	.bytes = sizeof(struct qvm_vdev_class),
	.name = "private-shutdown",
	.summary = "ends the VM when the guest writes its magic word to a port",
	.space = QVM_VDEV_IO,
	.widths = QVM_VDEV_BYTE | QVM_VDEV_WORD,
	.region = {{0, 2}}, /* the configuration says where: `loc io:0x5a0` */
	.state_bytes = sizeof(struct private_shutdown),
	.options = options,
	.init = init,
	.write = port_write,
	.status = status,
};
