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
#include "vmm/virtio/device.h"
#include "vmm/virtio/volume.h"

enum { QUEUE_MOST = 128, THREADS = 32 };

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
	struct volume volume;
	struct virtio_blk_config config;
	bool wants_direct;
	/* The threads, and what passes between them and the others under the vdev's lock. */
	unsigned n_hands, n_threads, n_ready, n_busy, next_queue;
	struct hand *hand;
	int bell; /* eventfd */
	bool has_leader, is_leaving, is_resetting;
	pthread_cond_t work, idle;
};

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
		if (volume_is_request(&x->chain))
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
		written = volume_serve(&b->volume, &x->chain, x->is_through);
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
	b->volume.is_read_only = d->want[0].kind == WANT_DISK_READ;
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
		.capacity = b->volume.backing.bytes / VOLUME_SECTOR,
		.seg_max = QUEUE_MOST - 2,
		.blk_size = b->volume.backing.align,
		.wce = 1,
		.num_queues = (uint16_t)b->kind.n_queues,
		.max_discard_sectors = VOLUME_DISCARD_SECTORS,
		.max_discard_seg = VOLUME_RANGES,
		.discard_sector_alignment = b->volume.backing.align / VOLUME_SECTOR,
		.max_write_zeroes_sectors = VOLUME_ZERO_SECTORS,
		.max_write_zeroes_seg = VOLUME_RANGES,
		.write_zeroes_may_unmap = 1,
	};
	if (b->volume.is_read_only)
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

	b->volume.name = d->name;
	b->volume.counters = machine_counters(m, d);
	b->volume.backing.loggers = d->loggers;
	if (backing_open(&b->volume.backing, d->want[0].fd, d->want[0].path, b->wants_direct,
			 &b->volume.counters->errors, e) < 0)
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
