/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-balloon - memory that the guest gives back to the host (virtio 1.2, 5.5): the pages it puts into
 * the balloon, up to `size`, and by free page reporting those it happens not to use. Also statistics,
 * and a balloon that the guest may empty when it is short of memory. Not there: hints for migration,
 * poison, pages that must be told of before they are used again.
 *
 * A page goes by a hole in the RAM memfd, which its seals permit (they fix its size), so the host has it
 * at once whoever else has the memfd mapped; it comes back as zeroes when the guest touches it. Only RAM
 * is ever given: machine_ram() knows no ROM and nothing outside.
 */
#include <linux/virtio_balloon.h>
#include <linux/virtio_ids.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/log.h"
#include "vmm/conf/number.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/iothread.h"
#include "vmm/virtio/device.h"

/*
 * 5.5.2 numbers the queues as here. Drivers (Linux among them) leave out those of features that were not
 * accepted, so that the reporting queue comes earlier: which_queue().
 */
enum { INFLATE, DEFLATE, STATISTICS, HINTS, REPORTING, QUEUES };

/* A notification serves AT_ONCE requests: more come by the thread's own bell, so that the lock is let go. */
enum { QUEUE_MOST = 128, PAGE = 4096, FRAMES = 256, AT_ONCE = 64, STATISTICS_S = 10 };

struct balloon {
	struct virtio_device device;
	struct iothread thread;
	struct virtq_chain chain, statistics;
	bool holds_statistics; /* a buffer of the guest's, given back to ask for new ones */
	bool has_warned;
	uint64_t size; /* bytes that the guest is asked for */
};

static unsigned which_queue(const struct virtio *v, unsigned queue)
{
	bool has_statistics = virtio_has(v, VIRTIO_BALLOON_F_STATS_VQ);

	if (queue < STATISTICS || (queue == STATISTICS && has_statistics))
		return queue;
	return REPORTING;
}

/* Whole pages of guest memory, in our mapping. */
static void give(struct vdev *d, void *at, size_t bytes)
{
	struct balloon *b = d->state;

	if (bytes == 0)
		return;
	machine_counters(d->machine, d)->bytes_out += bytes;
	if (madvise(at, bytes, MADV_REMOVE) == 0)
		return;
	machine_counters(d->machine, d)->errors++;
	if (!b->has_warned)
		vdev_warn(d, "vdev %s: the host does not take back memory of the guest (%m)",
			  d->name);
	b->has_warned = true;
}

/* Frames in a row are given together: Linux sends them so, from above or below. */
static void inflate(struct vdev *d, const struct virtq_chain *c)
{
	uint32_t frame[FRAMES];
	uint64_t first = 0, n = 0;

	for (size_t at = 0; at + sizeof *frame <= c->out_bytes;) {
		size_t got = virtq_read(c, at, frame, sizeof frame) / sizeof *frame;

		for (size_t i = 0; i < got; i++) {
			uint64_t gpa = (uint64_t)frame[i] << VIRTIO_BALLOON_PFN_SHIFT;

			if (!machine_ram(d->machine, gpa,
					 PAGE)) /* hostile; 5.5.6: not ours to give */
				continue;
			if (n && gpa == first + n * PAGE &&
			    machine_ram(d->machine, first, (n + 1) * PAGE)) {
				n++;
				continue;
			}
			if (n && gpa + PAGE == first &&
			    machine_ram(d->machine, gpa, (n + 1) * PAGE)) {
				first = gpa;
				n++;
				continue;
			}
			if (n)
				give(d, machine_ram(d->machine, first, n * PAGE), n * PAGE);
			first = gpa;
			n = 1;
		}
		at += got * sizeof *frame;
	}
	if (n)
		give(d, machine_ram(d->machine, first, n * PAGE), n * PAGE);
}

/* 5.5.6.7: the buffers themselves are the free memory; the queue has seen that they lie in RAM. */
static void report(struct vdev *d, const struct virtq_chain *c)
{
	for (unsigned i = c->n_out; i < c->n_out + c->n_in; i++) {
		uintptr_t from = (uintptr_t)c->part[i].iov_base, to = from + c->part[i].iov_len;

		from = (from + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
		to &= ~(uintptr_t)(PAGE - 1);
		if (from < to)
			give(d,
			     (uint8_t *)c->part[i].iov_base +
				     (from - (uintptr_t)c->part[i].iov_base),
			     to - from);
	}
}

/* 5.5.6.3: what the guest says of its memory. */
static void read_statistics(struct vdev *d, const struct virtq_chain *c)
{
	struct blackbox_vdev *counters = machine_counters(d->machine, d);
	struct virtio_balloon_stat stat;
	uint64_t value;

	for (size_t at = 0; virtq_read(c, at, &stat, sizeof stat) == sizeof stat;
	     at += sizeof stat) {
		memcpy(&value, &stat.val, sizeof value);
		if (stat.tag == VIRTIO_BALLOON_S_AVAIL)
			counters->available = value;
	}
}

/* The one buffer of the statistics waits here; the alarm gives it back. */
static void keep_statistics(struct vdev *d)
{
	struct balloon *b = d->state;
	struct virtio *v = &b->device.virtio;

	if (b->holds_statistics || !virtio_take(v, STATISTICS, &b->statistics))
		return;
	b->holds_statistics = true;
	read_statistics(d, &b->statistics);
	machine_alarm(d->machine, d, clock_mono_ns() + STATISTICS_S * UINT64_C(1000000000));
}

static void balloon_alarm(struct vdev *d, uint64_t now_ns)
{
	struct balloon *b = d->state;

	(void)now_ns;
	if (!b->holds_statistics)
		return;
	b->holds_statistics = false;
	virtio_give(&b->device.virtio, STATISTICS, &b->statistics, 0);
}

static void balloon_notify(struct virtio *v, unsigned queue)
{
	struct balloon *b = v->vdev->state;
	unsigned what = which_queue(v, queue), i;

	if (what == STATISTICS) {
		keep_statistics(v->vdev);
		return;
	}
	for (i = 0; i < AT_ONCE && virtio_take(v, queue, &b->chain); i++) {
		if (what == INFLATE)
			inflate(v->vdev, &b->chain);
		else if (what == REPORTING)
			report(v->vdev, &b->chain);
		virtio_give(v, queue, &b->chain, 0);
	}
	if (i == AT_ONCE)
		virtio_ring(v, queue);
}

static void balloon_reset(struct virtio *v)
{
	struct balloon *b = v->vdev->state;

	b->holds_statistics = false;
	machine_counters(v->vdev->machine, v->vdev)->given = 0;
}

/* The size wanted is ours, the actual one the driver's. */
static void set_config(struct virtio *v, uint32_t actual)
{
	const struct balloon *b = v->vdev->state;
	struct virtio_balloon_config config = {.num_pages = (uint32_t)(b->size / PAGE),
					       .actual = actual};

	memcpy(v->config, &config, sizeof config);
}

static void balloon_config_written(struct virtio *v, unsigned offset, unsigned bytes)
{
	uint32_t actual;

	(void)offset;
	(void)bytes;
	memcpy(&actual, v->config + offsetof(struct virtio_balloon_config, actual), sizeof actual);
	set_config(v, actual);
	machine_counters(v->vdev->machine, v->vdev)->given = (uint64_t)actual * PAGE;
}

static const struct virtio_kind kind = {
	.id = VIRTIO_ID_BALLOON,
	.pci_class = 0x00ff00, /* unclassified */
	.n_queues = QUEUES,
	.queue_most = QUEUE_MOST,
	.features = 1ull << VIRTIO_BALLOON_F_STATS_VQ | 1ull << VIRTIO_BALLOON_F_DEFLATE_ON_OOM |
		    1ull << VIRTIO_BALLOON_F_REPORTING,
	.notify = balloon_notify,
	.reset = balloon_reset,
	.config_written = balloon_config_written,
};

static int balloon_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	struct balloon *b = d->state;

	(void)m;
	if (virtio_assemble(d, &kind, e) < 0)
		return -1;
	set_config(&b->device.virtio, 0);
	if (iothread_spawn(&b->thread, d, NULL, e) < 0)
		return -1;
	return virtio_doorbells(d, &b->thread, e);
}

static void balloon_stop(struct vdev *d)
{
	struct balloon *b = d->state;

	iothread_stop(&b->thread);
}

static int set_size(struct vdev *d, const char *value, struct err *e)
{
	struct balloon *b = d->state;

	if (number_size(value, strlen(value), &b->size, e) < 0)
		return -1;
	if (b->size % PAGE || b->size / PAGE > UINT32_MAX)
		return err_set(
			e, CONFIG,
			"'%.32s' is no size of a balloon: write a multiple of 4K below 16384G",
			value);
	return 0;
}

static uint64_t ram_asked(const struct vdev *d)
{
	const struct balloon *b = d->state;

	return b->size;
}

static const struct vdev_option options[] = {
	{"size", "LENGTH", "how much of its memory the guest is asked to do without; 0 at first",
	 set_size},
	{NULL},
};

static const struct sandbox_allow syscalls[] = {SANDBOX_CALL(madvise), SANDBOX_END};

static const struct vdev_class virtio_balloon = {
	VIRTIO_CLASS,
	.name = "virtio-balloon",
	.frees_ram = true,
	.summary = "memory that the guest gives back (PCI; or MMIO; beyond the original)",
	.state_bytes = sizeof(struct balloon),
	.options = options,
	.ram_asked = ram_asked,
	.assemble = balloon_assemble,
	.stop = balloon_stop,
	.destroy = balloon_stop,
	.alarm = balloon_alarm,
	.has_iothread = true,
	.has_doorbells = true,
	.syscalls = syscalls,
};
VDEV_REGISTER(virtio_balloon);
