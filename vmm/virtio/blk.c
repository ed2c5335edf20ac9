/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-blk - a disk from a raw file or a block device of the host (virtio 1.2, 5.2): read, write,
 * flush, identity. Not there: discard, several queues, `legacy`, `delayed`.
 *
 * One thread serves the requests in order, so that a slow disk holds no vCPU in the host. It works
 * on guest memory without the vdev's lock; a reset waits until it has put the request down.
 */
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/auto.h"
#include "schemas/message.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/thread.h"
#include "vmm/vdev/vdev.h"
#include "vmm/virtio/device.h"

enum { QUEUE = 0, QUEUE_MOST = 128, SECTOR = 512 };

/* 5.2.6: what each request begins with. */
struct head {
	uint32_t type, reserved;
	uint64_t sector;
};

_Static_assert(sizeof(struct head) == 16, "shared with the guest");

struct blk {
	struct virtio_device device;
	int fd;
	bool is_read_only;
	uint64_t sectors;
	/* The thread, and what passes between it and the others under the vdev's lock. */
	pthread_t thread;
	pthread_cond_t changed;
	bool has_thread, is_ready, is_leaving, is_resetting;
	bool is_kicked, is_busy;
	struct virtq_chain chain; /* the thread's while is_busy */
};

/* --- one request --- */

/* Drop n bytes from the front; the parts are a copy. */
static void advance(struct iovec **part, unsigned *n_parts, size_t n)
{
	while (*n_parts && n >= (*part)->iov_len) {
		n -= (*part)->iov_len;
		++*part;
		--*n_parts;
	}
	if (*n_parts) {
		(*part)->iov_base = (uint8_t *)(*part)->iov_base + n;
		(*part)->iov_len -= n;
	}
}

/* Move all of the parts, which the disk holds; -1 when the host's file does not give or take it. */
static int transfer(const struct blk *b, struct iovec *part, unsigned n_parts, uint64_t at,
		    bool is_write)
{
	for (;;) {
		ssize_t n;

		advance(&part, &n_parts, 0); /* empty ones */
		if (n_parts == 0)
			return 0;
		n = is_write ? pwritev(b->fd, part, (int)n_parts, (off_t)at)
			     : preadv(b->fd, part, (int)n_parts, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1; /* an error, or the file was cut short */
		at += (uint64_t)n;
		advance(&part, &n_parts, (size_t)n);
	}
}

/* The parts of a request's data: without the head, or without the status byte. */
static unsigned data_parts(const struct virtq_chain *c, bool is_write, struct iovec *ret)
{
	struct iovec *part = ret;
	unsigned n = is_write ? c->n_out : c->n_in;

	memcpy(ret, c->part + (is_write ? 0 : c->n_out), n * sizeof *ret);
	if (!is_write) {
		while (n && ret[n - 1].iov_len == 0)
			n--;
		ret[n - 1].iov_len--;
		return n;
	}
	advance(&part, &n, sizeof(struct head));
	memmove(ret, part, n * sizeof *ret);
	return n;
}

static uint8_t move(struct vdev *d, const struct head *h, bool is_write, size_t *ret_written)
{
	struct blk *b = d->state;
	size_t bytes = is_write ? b->chain.out_bytes - sizeof *h : b->chain.in_bytes - 1;
	struct blackbox_vdev *counters = machine_counters(d->machine, d);
	struct iovec part[VIRTQ_MOST];
	unsigned n;

	if (bytes % SECTOR || h->sector > b->sectors || bytes / SECTOR > b->sectors - h->sector ||
	    (is_write && b->is_read_only))
		return VIRTIO_BLK_S_IOERR;
	n = data_parts(&b->chain, is_write, part);
	if (transfer(b, part, n, h->sector * SECTOR, is_write) < 0)
		return VIRTIO_BLK_S_IOERR;
	if (!is_write)
		*ret_written = bytes;
	*(is_write ? &counters->bytes_out : &counters->bytes_in) += bytes;
	return VIRTIO_BLK_S_OK;
}

/* 5.2.6.2: 20 bytes, padded with zeroes. */
static uint8_t identify(const struct vdev *d, size_t *ret_written)
{
	const struct blk *b = d->state;
	char name[VIRTIO_BLK_ID_BYTES] = {0};
	size_t n = strlen(d->name);

	if (b->chain.in_bytes - 1 < sizeof name)
		return VIRTIO_BLK_S_IOERR;
	memcpy(name, d->name, n < sizeof name ? n : sizeof name);
	*ret_written = virtq_write(&b->chain, 0, name, sizeof name);
	return VIRTIO_BLK_S_OK;
}

/* Serve b->chain, which has a head and a status byte; returns how many bytes it filled. */
static size_t serve(struct vdev *d)
{
	struct blk *b = d->state;
	struct head h = {0};
	size_t written = 0;
	uint8_t status;

	virtq_read(&b->chain, 0, &h, sizeof h);
	switch (h.type) {
	case VIRTIO_BLK_T_IN: status = move(d, &h, false, &written); break;
	case VIRTIO_BLK_T_OUT: status = move(d, &h, true, &written); break;
	case VIRTIO_BLK_T_FLUSH:
		status = fdatasync(b->fd) < 0 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
		break;
	case VIRTIO_BLK_T_GET_ID: status = identify(d, &written); break;
	default: status = VIRTIO_BLK_S_UNSUPP; break;
	}
	virtq_write(&b->chain, b->chain.in_bytes - 1, &status, 1);
	return written + 1;
}

/* --- the thread --- */

/* Take the next request, waiting for it; false when it is time to leave. Under the lock. */
static bool next(struct vdev *d)
{
	struct blk *b = d->state;
	struct virtio *v = &b->device.virtio;

	while (!b->is_leaving) {
		if (b->is_kicked && !b->is_resetting) {
			if (!virtio_take(v, QUEUE, &b->chain))
				b->is_kicked = false;
			else if (b->chain.out_bytes >= sizeof(struct head) && b->chain.in_bytes > 0)
				return true;
			else
				virtio_break(v, "a disk request without a head or a status");
			continue;
		}
		pthread_cond_wait(&b->changed, &d->lock);
	}
	return false;
}

static void *run(void *arg)
{
	struct vdev *d = arg;
	struct blk *b = d->state;

	pthread_mutex_lock(&d->lock);
	b->is_ready = true;
	pthread_cond_broadcast(&b->changed);
	while (next(d)) {
		size_t written;

		b->is_busy = true;
		pthread_mutex_unlock(&d->lock);
		written = serve(d);
		pthread_mutex_lock(&d->lock);
		b->is_busy = false;
		virtio_give(&b->device.virtio, QUEUE, &b->chain, written);
		pthread_cond_broadcast(&b->changed);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

static void blk_notify(struct virtio *v, unsigned queue)
{
	struct blk *b = v->vdev->state;

	(void)queue;
	b->is_kicked = true;
	pthread_cond_broadcast(&b->changed);
}

/* The guest takes its memory back: not before the thread has put it down. */
static void blk_reset(struct virtio *v)
{
	struct blk *b = v->vdev->state;

	b->is_resetting = true;
	while (b->is_busy)
		pthread_cond_wait(&b->changed, &v->vdev->lock);
	b->is_resetting = b->is_kicked = false;
}

/* Start it, and wait until it makes no system call of its start any more: the final filter comes. */
static int spawn(struct vdev *d, struct err *e)
{
	struct blk *b = d->state;

	if (thread_spawn(&b->thread, run, d, d->name, e) < 0)
		return -1;
	b->has_thread = true;
	pthread_mutex_lock(&d->lock);
	while (!b->is_ready)
		pthread_cond_wait(&b->changed, &d->lock);
	pthread_mutex_unlock(&d->lock);
	return 0;
}

static void blk_stop(struct vdev *d)
{
	struct blk *b = d->state;

	if (!b->has_thread)
		return;
	pthread_mutex_lock(&d->lock);
	b->is_leaving = true;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&d->lock);
	pthread_join(b->thread, NULL);
	b->has_thread = false;
}

/* --- its making --- */

static const struct virtio_kind kind = {
	.id = VIRTIO_ID_BLOCK,
	.pci_class = 0x010000, /* mass storage */
	.n_queues = 1,
	.queue_most = QUEUE_MOST,
	.features = UINT64_C(1) << VIRTIO_BLK_F_SEG_MAX | UINT64_C(1) << VIRTIO_BLK_F_BLK_SIZE |
		    UINT64_C(1) << VIRTIO_BLK_F_FLUSH,
	.notify = blk_notify,
	.reset = blk_reset,
};

static void blk_init(struct vdev *d)
{
	struct blk *b = d->state;

	pthread_cond_init(&b->changed, NULL);
	b->fd = -1;
}

static void blk_destroy(struct vdev *d)
{
	struct blk *b = d->state;

	blk_stop(d);
	pthread_cond_destroy(&b->changed);
}

static int set_hostdev(struct vdev *d, const char *value, struct err *e)
{
	const char *path = value + (*value == '<');

	if (*path == '>' || *path == '|' || !*path || !strcmp(path, "-"))
		return err_set(e, CONFIG,
			       "hostdev '%s' is no disk; write FILE, or <FILE to read it only",
			       value);
	if (d->n_wants)
		return err_set(e, CONFIG, "hostdev '%s': a disk has one file, '%s'", value,
			       d->want[0].path);
	return vdev_want(d, *value == '<' ? WANT_DISK_READ : WANT_DISK, path, e);
}

static int set_dio(struct vdev *d, const char *value, struct err *e)
{
	(void)d;
	if (!strcmp(value, "disable"))
		return 0;
	return err_set(e, CONFIG,
		       "'dio %s': the host's cache is always used in this release; leave it out, "
		       "or write `dio disable`",
		       value);
}

static int set_threads(struct vdev *d, const char *value, struct err *e)
{
	(void)d;
	if (!strcmp(value, "1"))
		return 0;
	return err_set(e, CONFIG,
		       "'threads %s': a disk has one thread in this release; leave it out", value);
}

static int refuse_delayed(struct vdev *d, const char *value, struct err *e)
{
	(void)d;
	return err_set(e, CONFIG,
		       "'delayed %s' is not in this release: a disk must be there when the VM "
		       "starts; leave it out",
		       value);
}

static int refuse_legacy(struct vdev *d, const char *value, struct err *e)
{
	(void)d;
	(void)value;
	return err_set(e, CONFIG,
		       "`legacy` is not in this release: the guest needs a driver of "
		       "virtio 1.0 or later; leave it out");
}

static int blk_check(struct vdev *d, struct err *e)
{
	struct blk *b = d->state;

	if (d->n_wants == 0)
		return err_set(e, CONFIG, "`vdev virtio-blk` has no disk: add `hostdev FILE`");
	b->is_read_only = d->want[0].kind == WANT_DISK_READ;
	return 0;
}

static int blk_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	struct blk *b = d->state;
	struct virtio *v = &b->device.virtio;
	struct virtio_blk_config config = {.seg_max = QUEUE_MOST - 2, .blk_size = SECTOR};
	off_t bytes;

	(void)m;
	b->fd = d->want[0].fd;
	bytes = lseek(b->fd, 0, SEEK_END); /* a block device tells its size by this alone */
	if (bytes < 0)
		return err_sys(e, RESOURCE, "tell the size of disk '%s'", d->want[0].path);
	if (bytes < SECTOR)
		return err_set(
			e, RESOURCE,
			"disk '%s' has no sector of %d bytes: make it larger, for example by "
			"`truncate -s 1G`",
			d->want[0].path, SECTOR);
	b->sectors = (uint64_t)bytes / SECTOR;
	if (virtio_assemble(d, &kind, e) < 0)
		return -1;
	if (b->is_read_only)
		v->offered |= UINT64_C(1) << VIRTIO_BLK_F_RO;
	config.capacity = b->sectors;
	_Static_assert(sizeof config <= sizeof v->config, "fits");
	memcpy(v->config, &config, sizeof config);
	return spawn(d, e);
}

static const struct vdev_option options[] = {
	{"hostdev", "FILE", "the disk: a raw file or block device; <FILE is read-only",
	 set_hostdev},
	{"dio", "enable|disable", "go round the host's cache (not in this release)", set_dio},
	{"threads", "N", "how many serve requests (1 in this release)", set_threads},
	{"delayed", "SECONDS", "wait for the hostdev (not in this release)", refuse_delayed},
	{"legacy", NULL, "the interface of virtio 0.9.5 (not in this release)", refuse_legacy},
	{NULL},
};

static const struct sandbox_allow syscalls[] = {SANDBOX_CALL(preadv), SANDBOX_CALL(pwritev),
						SANDBOX_CALL(fdatasync), SANDBOX_END};

static const struct vdev_class virtio_blk = {
	VIRTIO_CLASS,
	.name = "virtio-blk",
	.summary = "disk from a raw file or block device (PCI; or MMIO by `loc mem:` and `intr`)",
	.state_bytes = sizeof(struct blk),
	.options = options,
	.init = blk_init,
	.check = blk_check,
	.assemble = blk_assemble,
	.stop = blk_stop,
	.destroy = blk_destroy,
	.syscalls = syscalls,
};
VDEV_REGISTER(virtio_blk);
