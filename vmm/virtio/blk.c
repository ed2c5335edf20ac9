/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-blk - a disk from a raw file or a block device of the host (virtio 1.2, 5.2): read, write,
 * flush, identity, discard, zeroes, several queues. Not there: `legacy`, `delayed`.
 *
 * `threads` threads serve the requests, so that a slow disk holds no vCPU in the host. One of them, the
 * leader, waits for the bell, which KVM rings for the guest; whoever takes a request wakes the next
 * one to look for more. They work on guest memory without the vdev's lock; a reset waits until all
 * have put their requests down.
 */
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "schemas/message.h"
#include "vmm/conf/number.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/thread.h"
#include "vmm/vdev/vdev.h"
#include "vmm/virtio/backing.h"
#include "vmm/virtio/device.h"

enum { QUEUE_MOST = 128, SECTOR = 512, THREADS = 32 };
/* Of one request: it is one call to the host, which a reset waits for. */
enum { RANGES = 16, DISCARD_SECTORS = 1 << 21, ZERO_SECTORS = 1 << 15 };

/* 5.2.6: what each request begins with. */
struct head {
	uint32_t type, reserved;
	uint64_t sector;
};

_Static_assert(sizeof(struct head) == 16 && sizeof(struct virtio_blk_discard_write_zeroes) == 16,
	       "shared with the guest");

/* One thread, and its request while it is busy. */
struct hand {
	struct vdev *vdev;
	pthread_t thread;
	unsigned queue;
	bool is_through; /* the guest wants what it writes on the medium at once */
	struct virtq_chain chain;
};

struct blk {
	struct virtio_device device;
	struct virtio_kind kind;
	struct backing backing;
	struct virtio_blk_config config;
	bool is_read_only, wants_direct;
	/* The threads, and what passes between them and the others under the vdev's lock. */
	unsigned n_hands, n_threads, n_ready, n_busy, next_queue;
	struct hand *hand;
	int bell; /* eventfd */
	bool has_leader, is_leaving, is_resetting;
	pthread_cond_t work, idle;
};

/* --- one request --- */

/* The parts of a request's data: without the head, or without the status byte. */
static unsigned data_parts(const struct virtq_chain *c, bool is_write, struct iovec *ret)
{
	unsigned n = is_write ? c->n_out : c->n_in;
	size_t head = sizeof(struct head);

	memcpy(ret, c->part + (is_write ? 0 : c->n_out), n * sizeof *ret);
	if (!is_write) {
		while (n && ret[n - 1].iov_len == 0)
			n--;
		ret[n - 1].iov_len--;
		return n;
	}
	for (unsigned i = 0; i < n && head; i++) {
		size_t step = ret[i].iov_len < head ? ret[i].iov_len : head;

		ret[i].iov_base = (uint8_t *)ret[i].iov_base + step;
		ret[i].iov_len -= step;
		head -= step;
	}
	return n;
}

static bool is_inside(const struct blk *b, uint64_t sector, uint64_t n)
{
	uint64_t sectors = b->backing.bytes / SECTOR;

	return sector <= sectors && n <= sectors - sector;
}

static uint8_t move(struct hand *x, const struct head *h, bool is_write, size_t *ret_written)
{
	struct vdev *d = x->vdev;
	struct blk *b = d->state;
	size_t bytes = is_write ? x->chain.out_bytes - sizeof *h : x->chain.in_bytes - 1;
	struct blackbox_vdev *counters = machine_counters(d->machine, d);
	struct iovec part[VIRTQ_MOST];
	unsigned n;

	if (bytes % SECTOR || !is_inside(b, h->sector, bytes / SECTOR) ||
	    (is_write && b->is_read_only))
		return VIRTIO_BLK_S_IOERR;
	n = data_parts(&x->chain, is_write, part);
	if (backing_transfer(&b->backing, part, n, h->sector * SECTOR, is_write) < 0 ||
	    (is_write && x->is_through && backing_flush(&b->backing) < 0))
		return VIRTIO_BLK_S_IOERR;
	if (!is_write)
		*ret_written = bytes;
	*(is_write ? &counters->bytes_out : &counters->bytes_in) += bytes;
	return VIRTIO_BLK_S_OK;
}

/* 5.2.6.2: 20 bytes, padded with zeroes. */
static uint8_t identify(struct hand *x, size_t *ret_written)
{
	char name[VIRTIO_BLK_ID_BYTES] = {0};
	size_t n = strlen(x->vdev->name);

	if (x->chain.in_bytes - 1 < sizeof name)
		return VIRTIO_BLK_S_IOERR;
	memcpy(name, x->vdev->name, n < sizeof name ? n : sizeof name);
	*ret_written = virtq_write(&x->chain, 0, name, sizeof name);
	return VIRTIO_BLK_S_OK;
}

/* All of the ranges are judged before one is touched. */
static uint8_t check_ranges(const struct blk *b, const struct virtio_blk_discard_write_zeroes *r,
			    size_t n, bool is_zero)
{
	for (size_t i = 0; i < n; i++) {
		if (r[i].flags & ~(is_zero ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0u))
			return VIRTIO_BLK_S_UNSUPP; /* 5.2.6.2 */
		if (!is_inside(b, r[i].sector, r[i].num_sectors) ||
		    r[i].num_sectors > (is_zero ? ZERO_SECTORS : DISCARD_SECTORS))
			return VIRTIO_BLK_S_IOERR;
	}
	return VIRTIO_BLK_S_OK;
}

/* Discard, or write zeroes. */
static uint8_t clear(struct hand *x, bool is_zero)
{
	struct blk *b = x->vdev->state;
	struct virtio_blk_discard_write_zeroes range[RANGES];
	size_t bytes = x->chain.out_bytes - sizeof(struct head), n = bytes / sizeof range[0];
	uint8_t status;

	if (b->is_read_only || n == 0 || n > RANGES || bytes % sizeof range[0])
		return VIRTIO_BLK_S_IOERR;
	/* One copy, which is checked and used. */
	virtq_read(&x->chain, sizeof(struct head), range, bytes);
	status = check_ranges(b, range, n, is_zero);
	for (size_t i = 0; i < n && status == VIRTIO_BLK_S_OK; i++) {
		uint64_t at = range[i].sector * SECTOR;
		uint64_t length = (uint64_t)range[i].num_sectors * SECTOR;
		int r = 0;

		if (length == 0)
			continue;
		r = is_zero ? backing_zero(&b->backing, at, length,
					   range[i].flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP)
			    : backing_discard(&b->backing, at, length);
		if (r < 0)
			status = VIRTIO_BLK_S_IOERR;
	}
	if (status == VIRTIO_BLK_S_OK && is_zero && x->is_through && backing_flush(&b->backing) < 0)
		status = VIRTIO_BLK_S_IOERR;
	return status;
}

/* Serve a request, which has a head and a status byte; returns how many bytes it filled. */
static size_t serve(struct hand *x)
{
	struct blk *b = x->vdev->state;
	struct head h = {0};
	size_t written = 0;
	uint8_t status;

	virtq_read(&x->chain, 0, &h, sizeof h);
	switch (h.type) {
	case VIRTIO_BLK_T_IN: status = move(x, &h, false, &written); break;
	case VIRTIO_BLK_T_OUT: status = move(x, &h, true, &written); break;
	case VIRTIO_BLK_T_FLUSH:
		status = backing_flush(&b->backing) < 0 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
		break;
	case VIRTIO_BLK_T_GET_ID: status = identify(x, &written); break;
	case VIRTIO_BLK_T_DISCARD: status = clear(x, false); break;
	case VIRTIO_BLK_T_WRITE_ZEROES: status = clear(x, true); break;
	default: status = VIRTIO_BLK_S_UNSUPP; break;
	}
	virtq_write(&x->chain, x->chain.in_bytes - 1, &status, 1);
	return written + 1;
}

/* --- the threads --- */

static void ring(const struct blk *b)
{
	static const uint64_t one = 1;

	/* It blocks only when it is as good as full, and then it rings anyway. */
	if (write(b->bell, &one, sizeof one) < 0)
		return;
}

/* 5.2.6.2: without FLUSH, or with the cache turned off, a write is on the medium when it is done. */
static bool is_through(const struct blk *b)
{
	const struct virtio *v = &b->device.virtio;

	return !virtio_has(v, VIRTIO_BLK_F_FLUSH) ||
	       (virtio_has(v, VIRTIO_BLK_F_CONFIG_WCE) && !b->config.wce);
}

/* The next request of any queue, each in its turn. Under the lock. */
static bool take(struct blk *b, struct hand *x)
{
	struct virtio *v = &b->device.virtio;

	for (unsigned i = 0; i < b->kind.n_queues; i++) {
		x->queue = b->next_queue++ % b->kind.n_queues;
		if (!virtio_take(v, x->queue, &x->chain))
			continue;
		x->is_through = is_through(b);
		if (x->chain.out_bytes >= sizeof(struct head) && x->chain.in_bytes > 0)
			return true;
		virtio_break(v, "a disk request without a head or a status");
	}
	return false;
}

/* Wait for the bell, or for the one who does. Under the lock, which is let go. */
static void await(struct blk *b, pthread_mutex_t *lock)
{
	uint64_t n;

	if (b->has_leader) {
		pthread_cond_wait(&b->work, lock);
		return;
	}
	b->has_leader = true;
	pthread_mutex_unlock(lock);
	if (read(b->bell, &n, sizeof n) < 0)
		n = 0; /* a signal: look again */
	pthread_mutex_lock(lock);
	b->has_leader = false;
}

static void *run(void *arg)
{
	struct hand *x = arg;
	struct vdev *d = x->vdev;
	struct blk *b = d->state;

	pthread_mutex_lock(&d->lock);
	b->n_ready++;
	pthread_cond_broadcast(&b->idle);
	while (!b->is_leaving) {
		size_t written;

		if (b->is_resetting || !take(b, x)) {
			await(b, &d->lock);
			continue;
		}
		b->n_busy++;
		pthread_cond_signal(&b->work);
		pthread_mutex_unlock(&d->lock);
		written = serve(x);
		pthread_mutex_lock(&d->lock);
		b->n_busy--;
		virtio_give(&b->device.virtio, x->queue, &x->chain, written);
		if (b->n_busy == 0)
			pthread_cond_broadcast(&b->idle);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* Where KVM does not ring itself. */
static void blk_notify(struct virtio *v, unsigned queue)
{
	(void)queue;
	ring(v->vdev->state);
}

/* The guest takes its memory back: not before the threads have put it down. */
static void blk_reset(struct virtio *v)
{
	struct blk *b = v->vdev->state;

	b->is_resetting = true;
	while (b->n_busy)
		pthread_cond_wait(&b->idle, &v->vdev->lock);
	b->is_resetting = false;
	ring(b); /* for what other queues have */
}

/* Start them, and wait until they make no system call of their start any more: the final filter comes. */
static int spawn(struct vdev *d, struct err *e)
{
	struct blk *b = d->state;

	b->hand = calloc(b->n_threads, sizeof *b->hand);
	if (!b->hand)
		abort();
	while (b->n_hands < b->n_threads) {
		struct hand *x = &b->hand[b->n_hands];

		x->vdev = d;
		if (thread_spawn(&x->thread, run, x, d->name, e) < 0)
			return -1;
		b->n_hands++;
	}
	pthread_mutex_lock(&d->lock);
	while (b->n_ready < b->n_hands)
		pthread_cond_wait(&b->idle, &d->lock);
	pthread_mutex_unlock(&d->lock);
	return 0;
}

static void blk_stop(struct vdev *d)
{
	struct blk *b = d->state;

	pthread_mutex_lock(&d->lock);
	b->is_leaving = true;
	pthread_cond_broadcast(&b->work);
	pthread_mutex_unlock(&d->lock);
	for (; b->n_hands; b->n_hands--) {
		ring(b); /* one of those left may wait for it */
		pthread_join(b->hand[b->n_hands - 1].thread, NULL);
	}
}

/* --- its making --- */

static void blk_init(struct vdev *d)
{
	struct blk *b = d->state;

	pthread_cond_init(&b->work, NULL);
	pthread_cond_init(&b->idle, NULL);
	b->bell = -1;
	b->n_threads = 1;
}

static void blk_destroy(struct vdev *d)
{
	struct blk *b = d->state;

	blk_stop(d);
	free(b->hand);
	if (b->bell >= 0)
		close(b->bell);
	pthread_cond_destroy(&b->work);
	pthread_cond_destroy(&b->idle);
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
	struct blk *b = d->state;

	b->wants_direct = !strcmp(value, "enable");
	if (b->wants_direct || !strcmp(value, "disable"))
		return 0;
	return err_set(e, CONFIG, "'dio %s' is neither `dio enable` nor `dio disable`", value);
}

static int set_threads(struct vdev *d, const char *value, struct err *e)
{
	struct blk *b = d->state;
	uint64_t n;

	if (number_plain(value, strlen(value), &n, e) < 0)
		return -1;
	if (n < 1 || n > THREADS)
		return err_set(e, CONFIG, "'threads %s': a disk has 1 to %d", value, THREADS);
	b->n_threads = (unsigned)n;
	return 0;
}

static int refuse_delayed(struct vdev *d, const char *value, struct err *e)
{
	(void)d;
	return err_set(
		e, CONFIG,
		"'delayed %s' is not here: a disk is opened and locked before the VM starts, "
		"so that no guest runs without it; leave it out, and start the VM when the "
		"disk is there",
		value);
}

static int refuse_legacy(struct vdev *d, const char *value, struct err *e)
{
	(void)d;
	(void)value;
	return err_set(e, CONFIG,
		       "`legacy` is not here: the guest needs a driver of virtio 1.0 or later, "
		       "which Linux has since 4.0; leave it out");
}

static int blk_check(struct vdev *d, struct err *e)
{
	struct blk *b = d->state;

	if (d->n_wants == 0)
		return err_set(e, CONFIG, "`vdev virtio-blk` has no disk: add `hostdev FILE`");
	b->is_read_only = d->want[0].kind == WANT_DISK_READ;
	return 0;
}

/* The cache is what the guest may change (5.2.5.2); the rest it is told. */
static void blk_config_written(struct virtio *v, unsigned offset, unsigned bytes)
{
	struct blk *b = v->vdev->state;
	const unsigned wce = offsetof(struct virtio_blk_config, wce);

	if (virtio_has(v, VIRTIO_BLK_F_CONFIG_WCE) && offset <= wce && wce - offset < bytes)
		b->config.wce = v->config[wce] & 1;
	memcpy(v->config, &b->config, sizeof b->config);
}

static const struct virtio_kind kind = {
	.id = VIRTIO_ID_BLOCK,
	.pci_class = 0x010000, /* mass storage */
	.n_queues = 1,
	.queue_most = QUEUE_MOST,
	.features = UINT64_C(1) << VIRTIO_BLK_F_SEG_MAX | UINT64_C(1) << VIRTIO_BLK_F_BLK_SIZE |
		    UINT64_C(1) << VIRTIO_BLK_F_FLUSH | UINT64_C(1) << VIRTIO_BLK_F_CONFIG_WCE,
	.notify = blk_notify,
	.reset = blk_reset,
	.config_written = blk_config_written,
};

/* 5.2.3 and 5.2.4: what this disk offers beyond that. */
static void describe(struct blk *b)
{
	struct virtio_blk_config *c = &b->config;

	*c = (struct virtio_blk_config){
		.capacity = b->backing.bytes / SECTOR,
		.seg_max = QUEUE_MOST - 2,
		.blk_size = b->backing.align,
		.wce = 1,
		.num_queues = (uint16_t)b->kind.n_queues,
		.max_discard_sectors = DISCARD_SECTORS,
		.max_discard_seg = RANGES,
		.discard_sector_alignment = b->backing.align / SECTOR,
		.max_write_zeroes_sectors = ZERO_SECTORS,
		.max_write_zeroes_seg = RANGES,
		.write_zeroes_may_unmap = 1,
	};
	if (b->is_read_only)
		b->kind.features |= UINT64_C(1) << VIRTIO_BLK_F_RO;
	else
		b->kind.features |= UINT64_C(1) << VIRTIO_BLK_F_DISCARD |
				    UINT64_C(1) << VIRTIO_BLK_F_WRITE_ZEROES;
	if (b->kind.n_queues > 1)
		b->kind.features |= UINT64_C(1) << VIRTIO_BLK_F_MQ;
}

static int blk_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	struct blk *b = d->state;
	struct virtio *v = &b->device.virtio;

	b->backing.loggers = d->loggers;
	if (backing_open(&b->backing, d->want[0].fd, d->want[0].path, b->wants_direct,
			 &machine_counters(m, d)->errors, e) < 0)
		return -1;
	b->bell = eventfd(0, EFD_CLOEXEC);
	if (b->bell < 0)
		return err_sys(e, START, "make the doorbell of vdev '%s'", d->name);
	b->kind = kind;
	b->kind.n_queues = b->n_threads < VIRTIO_QUEUES ? b->n_threads : VIRTIO_QUEUES;
	describe(b);
	if (virtio_assemble(d, &b->kind, e) < 0)
		return -1;
	_Static_assert(sizeof b->config <= sizeof v->config, "fits");
	memcpy(v->config, &b->config, sizeof b->config);
	virtio_doorbell(d, b->bell);
	return spawn(d, e);
}

static const struct vdev_option options[] = {
	{"hostdev", "FILE", "the disk: a raw file or block device; <FILE is read-only",
	 set_hostdev},
	{"dio", "enable|disable", "go round the host's cache (off)", set_dio},
	{"threads", "N", "how many serve requests, 1 to 32; as many queues, up to 8 (1)",
	 set_threads},
	{"delayed", "SECONDS", "wait for the hostdev (refused: a disk is there at the start)",
	 refuse_delayed},
	{"legacy", NULL, "the interface of virtio 0.9.5 (refused)", refuse_legacy},
	{NULL},
};

static const struct sandbox_allow syscalls[] = {BACKING_CALLS, SANDBOX_END};

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
	.has_doorbells = true,
};
VDEV_REGISTER(virtio_blk);
