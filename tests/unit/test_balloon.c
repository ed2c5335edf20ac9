/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-balloon with a driver that keeps the rules; fuzz_virtio_balloon has one that does not. */
#include "tests/unit/test.h"
#include "tests/unit/virtio_bench.h"
#include "vmm/pci/function.h"

#include <linux/virtio_balloon.h>
#include <sched.h>
#include <sys/stat.h>

enum { INFLATE, DEFLATE, STATISTICS, REPORTING, QUEUES };
enum { PAGE = 4096, FEATURES = 1 << VIRTIO_BALLOON_F_STATS_VQ | 1 << VIRTIO_BALLOON_F_REPORTING };

static long pages_of(const struct virtio_bench *k)
{
	struct stat st;

	assert_int_equal(fstat(k->fd, &st), 0);
	return st.st_blocks / (PAGE / 512);
}

static void set_up(struct virtio_bench *k)
{
	struct err e;

	vb_make(k, "virtio-balloon");
	memset(k->memory, 0xff, VB_MEMORY);
	memset(k->memory, 0, VB_HEAP);
	assert_int_equal(vdev_bench_option(&k->b, "size", "16k", &e), 0);
	vb_bring_up(k, FEATURES, QUEUES);
	assert_int_equal(pages_of(k), VB_MEMORY / PAGE);
}

/* Offer it and wait until the device's thread has dealt with it. */
static void submit(struct virtio_bench *k, unsigned queue, uint64_t gpa, uint32_t bytes,
		   bool is_writable)
{
	uint16_t n = vb_offer(k, queue, gpa, bytes, is_writable);

	while (vb_used(k, queue) == n)
		sched_yield();
}

TEST(balloon_gives_the_pages_of_its_frames_to_the_host_and_no_others)
{
	static struct virtio_bench k;
	const uint32_t frames[] = {
		VB_HEAP / PAGE + 3, VB_HEAP / PAGE + 2,
		VB_HEAP / PAGE + 4, /* in a row */
		VB_HEAP / PAGE + 8, VB_MEMORY / PAGE - 1 /* ROM */,
		VB_MEMORY / PAGE,   0xffffffff,
	};

	set_up(&k);
	assert_int_equal(vb_read(&k, VB_CONFIG, 4), 4);
	memcpy(k.memory + VB_HEAP, frames, sizeof frames);
	submit(&k, INFLATE, VB_HEAP, sizeof frames, false);
	assert_int_equal(pages_of(&k), VB_MEMORY / PAGE - 4);
	assert_int_equal(k.b.counters.bytes_out, 4 * PAGE);
	assert_int_equal(k.memory[VB_HEAP + 1 * PAGE], 0xff);
	assert_int_equal(k.memory[VB_HEAP + 5 * PAGE], 0xff);
	assert_int_equal(k.memory[VB_MEMORY - 1], 0xff);
	assert_int_equal(k.memory[VB_HEAP + 2 * PAGE], 0);
	submit(&k, DEFLATE, VB_HEAP, sizeof frames, false);
	k.memory[VB_HEAP + 3 * PAGE] = 1; /* it is there when it is touched */
	vb_close(&k);
}

TEST(balloon_takes_reported_pages_whole_and_no_part_of_one)
{
	static struct virtio_bench k;

	set_up(&k);
	submit(&k, REPORTING, VB_HEAP + 100, 3 * PAGE, true);
	assert_int_equal(pages_of(&k), VB_MEMORY / PAGE - 2);
	assert_int_equal(k.memory[VB_HEAP + 100], 0xff);
	assert_int_equal(k.memory[VB_HEAP + PAGE], 0);
	assert_int_equal(k.memory[VB_HEAP + 3 * PAGE], 0xff);
	vb_close(&k);
}

TEST(balloon_shows_what_the_driver_says_and_asks_again)
{
	static struct virtio_bench k;
	const struct virtio_balloon_stat stats[] = {{VIRTIO_BALLOON_S_MEMFREE, 1 << 20},
						    {VIRTIO_BALLOON_S_AVAIL, 5 << 20}};

	set_up(&k);
	vb_write(&k, VB_CONFIG + 4, 4, 3);
	assert_int_equal(k.b.counters.given, 3 * PAGE);
	vb_write(&k, VB_CONFIG, 4, 1000); /* not the driver's */
	assert_int_equal(vb_read(&k, VB_CONFIG, 4), 4);
	memcpy(k.memory + VB_HEAP, stats, sizeof stats);
	vb_offer(&k, STATISTICS, VB_HEAP, sizeof stats, false);
	for (uint64_t deadline = 0; !deadline; sched_yield()) {
		pthread_mutex_lock(&k.b.vdev->lock);
		deadline = k.b.vdev->alarm_ns;
		pthread_mutex_unlock(&k.b.vdev->lock);
	}
	assert_int_equal(k.b.counters.available, 5 << 20);
	assert_int_equal(vb_used(&k, STATISTICS), 0);
	pthread_mutex_lock(&k.b.vdev->lock);
	vdev_bench_pass(&k.b, UINT64_MAX);
	pthread_mutex_unlock(&k.b.vdev->lock);
	assert_int_equal(vb_used(&k, STATISTICS), 1);
	vb_write(&k, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	assert_int_equal(k.b.counters.given, 0);
	vb_close(&k);
}

TEST(balloon_hears_a_notification_that_came_before_the_driver_was_ready)
{
	static struct virtio_bench k;

	vb_make(&k, "virtio-balloon");
	vb_bring_up(&k, FEATURES, 0);
	vb_write(&k, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	vb_write(&k, VIRTIO_PCI_COMMON_STATUS, 1, 3);
	vb_write(&k, VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	vb_write(&k, VIRTIO_PCI_COMMON_GF, 4, 1);
	vb_write(&k, VIRTIO_PCI_COMMON_STATUS, 1, 11);
	vb_turn_on(&k, DEFLATE);
	vb_offer(&k, DEFLATE, VB_HEAP, 4, false);
	assert_int_equal(vb_used(&k, DEFLATE), 0);
	vb_write(&k, VIRTIO_PCI_COMMON_STATUS, 1, 15);
	assert_int_equal(vb_used(&k, DEFLATE), 1);
	vb_close(&k);
}
