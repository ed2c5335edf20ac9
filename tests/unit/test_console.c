/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-console with a driver that keeps the rules; fuzz_virtio_console has one that does not. */
#include "tests/unit/test.h"
#include "tests/unit/virtio_bench.h"
#include "vmm/pci/function.h"

#include <fcntl.h>
#include <linux/virtio_console.h>
#include <pty.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "vmm/vdev/hostdev.h"

enum { RX, TX, QUEUES };

static void print(struct virtio_bench *k, const char *text)
{
	memcpy(k->memory + VB_HEAP, text, strlen(text));
	vb_offer(k, TX, VB_HEAP, (uint32_t)strlen(text), false);
}

static void type(struct virtio_bench *k, const char *text)
{
	assert_int_equal(vdev_input(k->b.vdev, (const uint8_t *)text, strlen(text)), strlen(text));
}

TEST(console_prints_what_is_sent_and_gives_what_is_typed)
{
	static struct virtio_bench k;
	uint16_t at;

	vb_make(&k, "virtio-console");
	vb_bring_up(&k, 0, QUEUES);
	print(&k, "Hello");
	assert_int_equal(vb_used(&k, TX), 1);
	assert_memory_equal(k.b.console, "Hello", 5);
	assert_int_equal(k.b.counters.bytes_out, 5);
	at = vb_offer(&k, RX, VB_HEAP + 0x100, 64, true);
	assert_int_equal(vb_used(&k, RX), 0);
	type(&k, "typed");
	assert_int_equal(vb_used(&k, RX), 1);
	assert_int_equal(vb_written(&k, RX, at), 5);
	assert_memory_equal(k.memory + VB_HEAP + 0x100, "typed", 5);
	vb_close(&k);
}

TEST(console_holds_what_is_typed_until_the_guest_has_buffers)
{
	static struct virtio_bench k;
	static uint8_t bytes[8192];
	uint64_t count;
	size_t taken;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	vb_make(&k, "virtio-console");
	k.b.vdev->room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vb_bring_up(&k, 0, QUEUES);
	taken = vdev_input(k.b.vdev, bytes, sizeof bytes);
	assert_int_equal(taken, 4096);
	assert_int_equal(vdev_room(k.b.vdev), 0);
	for (size_t got = 0; got < taken; got += 512) {
		uint16_t at = vb_offer(&k, RX, VB_HEAP, 512, true);

		assert_int_equal(vb_written(&k, RX, at), 512);
		assert_memory_equal(k.memory + VB_HEAP, bytes + got, 512);
	}
	assert_int_equal(read(k.b.vdev->room_fd, &count, sizeof count), sizeof count);
	assert_int_equal(vdev_room(k.b.vdev), 4096);
	close(k.b.vdev->room_fd);
	vb_close(&k);
}

TEST(console_holds_the_guest_while_its_reader_is_slow_and_loses_nothing)
{
	static struct virtio_bench k;
	struct pollfd polled[HOSTDEV_ENDS];
	unsigned sent = 0, got = 0;
	uint8_t bytes[4096];
	struct err e;
	ssize_t n;
	int p[2];

	assert_int_equal(pipe2(p, O_NONBLOCK | O_CLOEXEC), 0);
	vb_make(&k, "virtio-console");
	assert_int_equal(vdev_bench_option(&k.b, "hostdev", ">x", &e), 0);
	k.b.vdev->want[0].fd = p[1];
	vb_bring_up(&k, 0, QUEUES);
	while (vb_used(&k, TX) == (uint16_t)sent) {
		memset(k.memory + VB_HEAP, (int)(sent % 251), 0x1000);
		vb_offer(&k, TX, VB_HEAP, 0x1000, false);
		sent++;
		assert_true(sent < 100);
	}
	assert_true(sent * 0x1000 > HOSTDEV_RING);
	while (got < sent * 0x1000) {
		while ((n = read(p[0], bytes, sizeof bytes)) > 0)
			for (ssize_t i = 0; i < n; i++, got++)
				assert_int_equal(bytes[i], got / 0x1000 % 251);
		hostdev_poll(k.b.vdev->hostdev, polled);
		hostdev_serve(k.b.vdev->hostdev, polled, NULL, NULL);
		if (polled[0].fd >= 0)
			polled[0].revents = POLLOUT;
		hostdev_serve(k.b.vdev->hostdev, polled, NULL, NULL);
	}
	assert_int_equal(vb_used(&k, TX), sent);
	vb_close(&k);
	close(p[0]);
}

TEST(console_prints_an_emergency_without_any_queue)
{
	static struct virtio_bench k;

	vb_make(&k, "virtio-console");
	vdev_bench_assemble(&k.b);
	vb_write(&k, VB_CONFIG + 8, 4, '!');
	assert_int_equal(k.b.n_console, 1);
	assert_int_equal(k.b.console[0], '!');
	assert_int_equal(vb_read(&k, VB_CONFIG + 8, 4), 0);
	vb_write(&k, VB_CONFIG, 4, 0x11223344); /* not the driver's */
	assert_int_equal(vb_read(&k, VB_CONFIG, 4), 0);
	assert_int_equal(k.b.n_console, 1);
	vb_close(&k);
}

TEST(console_has_the_size_of_its_terminal)
{
	static struct virtio_bench k;
	struct winsize size = {.ws_col = 132, .ws_row = 43};
	int master, slave;
	struct err e;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	vb_make(&k, "virtio-console");
	assert_int_equal(vdev_bench_option(&k.b, "hostdev", ">x", &e), 0);
	k.b.vdev->want[0].fd = slave;
	vdev_bench_assemble(&k.b);
	vb_write(&k, VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
	assert_true(vb_read(&k, VIRTIO_PCI_COMMON_DF, 4) & 1u << VIRTIO_CONSOLE_F_SIZE);
	assert_int_equal(vb_read(&k, VB_CONFIG, 2), 132);
	assert_int_equal(vb_read(&k, VB_CONFIG + 2, 2), 43);
	vb_close(&k);
	close(master);
}

/* A table of as many parts as there may be, each of which is the same 16 KiB. */
static void offer_the_same_again_and_again(struct virtio_bench *k, uint32_t bytes, unsigned parts)
{
	struct vring_desc *table = (struct vring_desc *)(void *)(k->memory + VB_HEAP);

	for (unsigned i = 0; i < parts; i++)
		table[i] = (struct vring_desc){VB_HEAP + 0x4000, bytes,
					       i + 1 < parts ? VRING_DESC_F_NEXT : 0,
					       (uint16_t)(i + 1)};
	vb_offer_as(k, TX, VB_HEAP, parts * (uint32_t)sizeof *table, VRING_DESC_F_INDIRECT);
}

TEST(console_prints_a_request_that_names_the_same_memory_often_in_turns)
{
	enum { PART = 0x4000, PARTS = 64, TURN = 0x10000 };
	static struct virtio_bench k;
	unsigned turns = 1;

	vb_make(&k, "virtio-console");
	vb_bring_up(&k, 1u << VIRTIO_RING_F_INDIRECT_DESC, QUEUES);
	offer_the_same_again_and_again(&k, PART, PARTS);
	assert_int_equal(k.b.counters.bytes_out, TURN);
	while (vb_used(&k, TX) == 0) {
		const uint64_t before = k.b.counters.bytes_out;

		assert_true(k.b.vdev->alarm_ns != 0); /* it goes on by itself, from the loop */
		vdev_bench_pass(&k.b, UINT64_MAX);
		assert_true(k.b.counters.bytes_out - before <= TURN);
		turns++;
	}
	assert_int_equal(k.b.counters.bytes_out, PART * PARTS);
	assert_true(turns >= PART * PARTS / TURN);
	vb_close(&k);
}
