/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-console - one port (virtio 1.2, 5.3): a line of characters with fewer exits than a UART's. With
 * emergency writes, and the size of the terminal that is its host's end. Not there: several ports,
 * `legacy`.
 *
 * What is printed goes to the VM's console ring and to every output hostdev; while one of them has no
 * room the request waits, and with it the guest. Input waits in a bounded queue until the guest has
 * offered a buffer; the worker's loop stops reading the host's end while the queue is full.
 */
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/hostdev.h"
#include "vmm/vdev/hostform.h"
#include "vmm/virtio/device.h"

enum { RX, TX, QUEUES };

/* QUEUE is a power of two. One turn serves AT_ONCE requests and prints TURN bytes: a guest with a second
 * vCPU could feed the first for ever, and one request may name all RAM many times over. */
enum { QUEUE_MOST = 128, QUEUE = 4096, PIECE = 1024, AT_ONCE = 64, TURN = 1 << 16 };

struct console {
	struct virtio_device device;
	struct virtq_chain in, out;
	bool is_sending; /* `out` is taken, and `sent` bytes of it are on their way */
	size_t sent;
	uint8_t queue[QUEUE];
	unsigned head, tail; /* counted without wrap; tail - head bytes wait */
	bool is_short;
	uint16_t columns, rows; /* of a terminal, or 0 */
};

static void print(struct vdev *d, const uint8_t *bytes, size_t n)
{
	machine_counters(d->machine, d)->bytes_out += n;
	machine_console(d->machine, (const char *)bytes, n);
	hostdev_send(d->hostdev, bytes, n);
}

/* True when all of the request has been sent. False with something left of the budget: drained() follows. */
static bool send_request(struct vdev *d, size_t *budget)
{
	struct console *c = d->state;
	uint8_t bytes[PIECE];

	while (c->sent < c->out.out_bytes) {
		size_t room = hostdev_room(d->hostdev);
		size_t n = room < sizeof bytes ? room : sizeof bytes;

		if (n > *budget)
			n = *budget;
		if (room < HOSTDEV_LOW || n == 0)
			return false;
		n = virtq_read(&c->out, c->sent, bytes, n);
		print(d, bytes, n);
		c->sent += n;
		*budget -= n;
	}
	return true;
}

static void transmit(struct vdev *d)
{
	struct console *c = d->state;
	struct virtio *v = &c->device.virtio;
	size_t budget = TURN;

	for (unsigned i = 0; i < AT_ONCE && budget; i++) {
		if (!c->is_sending && !virtio_take(v, TX, &c->out))
			return;
		if (!c->is_sending)
			c->sent = 0;
		c->is_sending = true;
		if (!send_request(d, &budget)) {
			if (budget)
				return;
			break;
		}
		c->is_sending = false;
		virtio_give(v, TX, &c->out, 0);
	}
	machine_alarm(d->machine, d, clock_mono_ns());
}

static void console_alarm(struct vdev *d, uint64_t now_ns)
{
	(void)now_ns;
	transmit(d);
}

static void tell_room(struct vdev *d)
{
	struct console *c = d->state;
	uint64_t one = 1;

	if (!c->is_short || c->tail - c->head > QUEUE / 2 || d->room_fd < 0)
		return;
	c->is_short = false;
	/* An eventfd takes it unless its count is at the top: then it is readable anyway. */
	(void)!write(d->room_fd, &one, sizeof one);
}

/* Fill what the guest offers; every buffer taken is given back with something in it, if it can hold any. */
static void receive(struct vdev *d)
{
	struct console *c = d->state;
	struct virtio *v = &c->device.virtio;

	while (c->head != c->tail && virtio_take(v, RX, &c->in)) {
		size_t written = 0;

		while (c->head != c->tail && written < c->in.in_bytes) {
			unsigned at = c->head & (QUEUE - 1);
			size_t n = c->tail - c->head;

			if (n > QUEUE - at)
				n = QUEUE - at;
			n = virtq_write(&c->in, written, c->queue + at, n);
			c->head += (unsigned)n;
			written += n;
		}
		virtio_give(v, RX, &c->in, written);
		if (written == 0) {
			virtio_break(v, "a receive buffer that holds nothing");
			return;
		}
	}
	tell_room(d);
}

static void console_notify(struct virtio *v, unsigned queue)
{
	if (queue == TX)
		transmit(v->vdev);
	else
		receive(v->vdev);
}

static void console_reset(struct virtio *v)
{
	struct console *c = v->vdev->state;

	c->is_sending = false;
}

static void set_config(struct virtio *v, const struct console *c)
{
	struct virtio_console_config config = {.cols = c->columns, .rows = c->rows};

	memcpy(v->config, &config, sizeof config);
}

/* 5.3.4: a character of emerg_wr is printed without any queue; the rest is the device's to write. */
static void console_config_written(struct virtio *v, unsigned offset, unsigned bytes)
{
	const size_t at = offsetof(struct virtio_console_config, emerg_wr);

	(void)bytes;
	if (offset == at)
		print(v->vdev, v->config + at, 1);
	set_config(v, v->vdev->state);
}

static const struct virtio_kind kind = {
	.id = VIRTIO_ID_CONSOLE,
	.pci_class = 0x078000, /* other communication controller */
	.n_queues = QUEUES,
	.queue_most = QUEUE_MOST,
	.features = 1ull << VIRTIO_CONSOLE_F_EMERG_WRITE,
	.notify = console_notify,
	.reset = console_reset,
	.config_written = console_config_written,
};

static void console_drained(struct vdev *d)
{
	transmit(d);
}

static size_t console_room(struct vdev *d)
{
	struct console *c = d->state;
	size_t room = QUEUE - (c->tail - c->head);

	if (room < QUEUE / 2)
		c->is_short = true;
	return room;
}

static void console_input(struct vdev *d, const uint8_t *bytes, size_t n)
{
	struct console *c = d->state;

	machine_counters(d->machine, d)->bytes_in += n;
	for (size_t i = 0; i < n; i++)
		c->queue[c->tail++ & (QUEUE - 1)] = bytes[i];
	receive(d);
}

static int refuse_legacy(struct vdev *d, const char *value, struct err *e)
{
	(void)d;
	(void)value;
	return err_set(e, CONFIG,
		       "`legacy` is not here: the guest needs a driver of virtio 1.0 or later, "
		       "which Linux has since 4.0; leave it out");
}

static void console_init(struct vdev *d)
{
	d->hostdev = hostdev_new(d);
}

static int console_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	struct console *c = d->state;
	struct virtio *v = &c->device.virtio;

	(void)m;
	hostdev_open(d->hostdev);
	if (virtio_assemble(d, &kind, e) < 0)
		return -1;
	if (hostdev_size(d->hostdev, &c->columns, &c->rows))
		v->offered |= 1ull << VIRTIO_CONSOLE_F_SIZE;
	set_config(v, c);
	return 0;
}

static const struct vdev_option options[] = {
	HOSTFORM_OPTIONS,
	{"legacy", NULL, "the interface of virtio 0.9.5 (refused)", refuse_legacy},
	{NULL},
};

static const struct vdev_class virtio_console = {
	VIRTIO_CLASS,
	.name = "virtio-console",
	.summary = "console of one port (PCI; or MMIO by `loc mem:` and `intr`)",
	.state_bytes = sizeof(struct console),
	.options = options,
	.init = console_init,
	.assemble = console_assemble,
	.input = console_input,
	.room = console_room,
	.drained = console_drained,
	.alarm = console_alarm,
	.syscalls = hostdev_syscalls,
};
VDEV_REGISTER(virtio_console);
