/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/vdev/hostdev.h"
#include "vmm/vdev/vdev.h"

enum { DATA = 0x3f8, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

static uint8_t in(struct vdev_bench *b, uint64_t port)
{
	return (uint8_t)vdev_bench_read(b, port, 1);
}

static void out(struct vdev_bench *b, uint64_t port, uint8_t value)
{
	vdev_bench_write(b, port, 1, value);
}

static void type(struct vdev_bench *b, const char *text)
{
	assert_int_equal(vdev_input(b->vdev, (const uint8_t *)text, strlen(text)), strlen(text));
}

TEST(ser8250_prints_what_is_sent)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "ser8250");
	assert_int_equal(in(&b, LSR), 0x60);
	out(&b, DATA, 'H');
	out(&b, DATA, 'i');
	assert_int_equal(in(&b, LSR), 0x60);
	assert_memory_equal(b.console, "Hi", 2);
	assert_int_equal(b.counters.bytes_out, 2);
	vdev_bench_close(&b);
}

TEST(ser8250_writes_to_its_files_too)
{
	struct vdev_bench b;
	char got[4] = {0};
	struct err e;
	int p[2];

	assert_int_equal(pipe(p), 0);
	vdev_bench_make(&b, "ser8250");
	assert_int_equal(vdev_bench_option(&b, "hostdev", ">x", &e), 0);
	b.vdev->want[0].fd = p[1];
	vdev_bench_assemble(&b);
	out(&b, DATA, 'a');
	out(&b, DATA, 'b');
	assert_int_equal(read(p[0], got, sizeof got), 2);
	assert_string_equal(got, "ab");
	vdev_bench_close(&b); /* closes p[1] */
	assert_int_equal(fcntl(p[1], F_GETFD), -1);
	close(p[0]);
}

TEST(ser8250_divisor_is_behind_dlab)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "ser8250");
	out(&b, LCR, 0x83);
	out(&b, DATA, 0x0c);
	out(&b, IER, 0x01);
	assert_int_equal(in(&b, DATA), 0x0c);
	assert_int_equal(in(&b, IER), 0x01);
	out(&b, LCR, 0x03);
	assert_int_equal(in(&b, LCR), 0x03);
	assert_int_equal(in(&b, IER), 0x00);
	assert_int_equal(b.n_console, 0);
	out(&b, SCR, 0x5a);
	assert_int_equal(in(&b, SCR), 0x5a);
	vdev_bench_close(&b);
}

TEST(ser8250_without_fifo_holds_one_byte_and_loses_none)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "ser8250");
	type(&b, "xyz");
	for (const char *c = "xyz"; *c; c++) {
		assert_int_equal(in(&b, LSR) & 0x03, 0x01);
		assert_int_equal(in(&b, DATA), *c);
	}
	assert_int_equal(in(&b, LSR) & 0x01, 0);
	assert_int_equal(in(&b, DATA), 0);
	assert_int_equal(b.counters.bytes_in, 3);
	vdev_bench_close(&b);
}

TEST(ser8250_interrupts_in_order_of_priority)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "ser8250");
	assert_int_equal(in(&b, IIR), 0x01);
	out(&b, IER, 0x03);
	assert_true(b.line); /* transmitter empty */
	type(&b, "a");
	assert_int_equal(in(&b, IIR), 0x04); /* received data comes first */
	assert_int_equal(in(&b, IIR), 0x04); /* and stays until it is read */
	assert_int_equal(in(&b, DATA), 'a');
	assert_int_equal(in(&b, IIR), 0x02);
	assert_int_equal(in(&b, IIR), 0x01); /* reading it cleared it */
	assert_false(b.line);
	out(&b, DATA, 'b');
	assert_true(b.line);
	assert_int_equal(in(&b, IIR), 0x02);
	assert_false(b.line);
	vdev_bench_close(&b);
}

TEST(ser8250_fifo_interrupts_at_its_trigger_or_by_timeout)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "ser8250");
	out(&b, FCR, 0x81); /* trigger 8 */
	out(&b, IER, 0x01);
	type(&b, "1234567");
	assert_int_equal(in(&b, IIR), 0xcc);
	type(&b, "8");
	assert_int_equal(in(&b, IIR), 0xc4);
	assert_int_equal(in(&b, DATA), '1');
	assert_int_equal(in(&b, IIR), 0xcc);
	out(&b, FCR, 0x83); /* clear the receiver */
	assert_int_equal(in(&b, IIR), 0xc1);
	assert_false(b.line);
	out(&b, FCR, 0x00);
	assert_int_equal(in(&b, IIR), 0x01);
	vdev_bench_close(&b);
}

TEST(ser8250_loop_back_returns_bytes_and_overruns)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "ser8250");
	out(&b, MCR, 0x1f);
	assert_int_equal(in(&b, MSR) & 0xf0, 0xf0);
	out(&b, MCR, 0x1a); /* RTS and OUT2 */
	assert_int_equal(in(&b, MSR) & 0xf0, 0x90);
	out(&b, DATA, 'x');
	assert_int_equal(b.n_console, 0);
	assert_int_equal(in(&b, DATA), 'x');
	out(&b, FCR, 0x01);
	for (unsigned i = 0; i < 17; i++)
		out(&b, DATA, (uint8_t)i);
	assert_int_equal(in(&b, LSR) & 0x03, 0x03);
	assert_int_equal(in(&b, LSR) & 0x02, 0); /* reading cleared it */
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(in(&b, DATA), i);
	assert_int_equal(in(&b, LSR) & 0x01, 0);
	vdev_bench_close(&b);
}

TEST(ser8250_tells_changes_of_its_modem_lines_once)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "ser8250");
	assert_int_equal(in(&b, MSR), 0x30); /* DSR and CTS; no carrier without an input side */
	out(&b, IER, 0x08);
	out(&b, MCR, 0x10);
	assert_true(b.line);
	assert_int_equal(in(&b, IIR), 0x00);
	assert_int_equal(in(&b, MSR), 0x03);
	assert_false(b.line);
	assert_int_equal(in(&b, MSR), 0x00);
	out(&b, MCR, 0x14); /* RI on: no delta */
	assert_int_equal(in(&b, MSR), 0x40);
	out(&b, MCR, 0x10); /* its trailing edge is one */
	assert_int_equal(in(&b, MSR), 0x04);
	vdev_bench_close(&b);
}

TEST(ser8250_has_a_carrier_when_somebody_can_type)
{
	struct vdev_bench b;
	struct err e;

	vdev_bench_make(&b, "ser8250");
	b.vdev->takes_console = true;
	vdev_bench_assemble(&b);
	assert_int_equal(in(&b, MSR), 0xb0);
	vdev_bench_close(&b);
	vdev_bench_make(&b, "ser8250");
	assert_int_equal(vdev_bench_option(&b, "hostdev", "<x", &e), 0);
	b.vdev->want[0].fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	vdev_bench_assemble(&b);
	assert_int_equal(in(&b, MSR), 0xb0);
	vdev_bench_close(&b);
}

TEST(ser8250_tells_when_a_full_queue_has_room_again)
{
	uint8_t bytes[4097];
	struct vdev_bench b;
	uint64_t count;

	memset(bytes, 'x', sizeof bytes);
	vdev_bench_open(&b, "ser8250");
	b.vdev->room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vdev_input(b.vdev, bytes, sizeof bytes);
	vdev_input(b.vdev, bytes, sizeof bytes);
	assert_int_equal(vdev_room(b.vdev), 0);
	for (unsigned i = 0; i < 2047; i++)
		in(&b, DATA);
	assert_int_equal(read(b.vdev->room_fd, &count, sizeof count), -1);
	in(&b, DATA);
	assert_int_equal(read(b.vdev->room_fd, &count, sizeof count), sizeof count);
	close(b.vdev->room_fd);
	vdev_bench_close(&b);
}

TEST(ser8250_refuses_what_it_cannot_do)
{
	static const char *const wrong[][2] = {
		{"hostdev", ">"},      {"hostdev", "<|gzip"}, {"hostdev", "|gzip"},
		{"hostdev", ">|"},     {"hostdev", "pty:"},   {"hostdev", "unix:"},
		{"hostdev", "unix:-"}, {"batch", "1000001"},  {"batch", "ten"},
		{"delayed", "86401"},  {"delayed", "never"},  {"sched", "10"},
	};
	struct vdev_bench b;
	struct err e;

	vdev_bench_make(&b, "ser8250");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_int_equal(vdev_bench_option(&b, wrong[i][0], wrong[i][1], &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
	}
	assert_int_equal(b.vdev->n_wants, 0);
	vdev_bench_close(&b);
}

/* A pipe as the only hostdev; returns its reading end. */
static int open_pipe(struct vdev_bench *b, const char *option, const char *value)
{
	struct err e;
	int p[2];

	assert_int_equal(pipe2(p, O_NONBLOCK | O_CLOEXEC), 0);
	vdev_bench_make(b, "ser8250");
	if (option)
		assert_int_equal(vdev_bench_option(b, option, value, &e), 0);
	assert_int_equal(vdev_bench_option(b, "hostdev", ">x", &e), 0);
	b->vdev->want[0].fd = p[1];
	vdev_bench_assemble(b);
	return p[0];
}

TEST(ser8250_is_busy_while_its_reader_is_slow_and_loses_nothing)
{
	struct pollfd polled[HOSTDEV_ENDS];
	unsigned sent = 0, got = 0;
	struct vdev_bench b;
	uint8_t bytes[4096];
	ssize_t n;
	int fd = open_pipe(&b, NULL, NULL);

	out(&b, IER, 2);
	while (in(&b, LSR) & 0x20)
		out(&b, DATA, (uint8_t)sent++);
	assert_true(sent > HOSTDEV_RING);
	assert_int_equal(in(&b, IIR) & 1, 1); /* nothing to say before there is room */
	assert_false(b.line);
	while (!(in(&b, LSR) & 0x20)) {
		while ((n = read(fd, bytes, sizeof bytes)) > 0)
			for (ssize_t i = 0; i < n; i++)
				assert_int_equal(bytes[i], (uint8_t)got++);
		hostdev_poll(b.vdev->hostdev, polled);
		assert_int_equal(polled[0].events, POLLOUT);
		assert_int_equal(poll(polled, 1, 0), 1);
		hostdev_serve(b.vdev->hostdev, polled, NULL, NULL);
	}
	assert_true(b.line); /* THRE again */
	while (hostdev_drain(b.vdev->hostdev, polled)) {
		assert_int_equal(polled[0].events, POLLOUT); /* it waits for nothing by itself */
		while ((n = read(fd, bytes, sizeof bytes)) > 0)
			got += (unsigned)n;
	}
	assert_int_equal(polled[0].fd, -1);
	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		got += (unsigned)n;
	assert_int_equal(got, sent);
	vdev_bench_close(&b);
	close(fd);
}

TEST(ser8250_prints_on_when_its_reader_has_gone)
{
	struct vdev_bench b;
	int fd = open_pipe(&b, NULL, NULL);

	signal(SIGPIPE, SIG_IGN);
	close(fd);
	for (unsigned i = 0; i < 2 * HOSTDEV_RING; i++) {
		assert_int_equal(in(&b, LSR), 0x60);
		out(&b, DATA, 'x');
	}
	assert_int_equal(b.n_console, 2 * HOSTDEV_RING);
	vdev_bench_close(&b);
}

TEST(ser8250_batch_gathers_output_until_its_time)
{
	struct vdev_bench b;
	char got[8] = {0};
	int fd = open_pipe(&b, "batch", "1000");

	out(&b, DATA, 'a');
	assert_true(b.vdev->alarm_ns > 0);
	out(&b, DATA, 'b');
	assert_int_equal(b.n_alarms, 1);
	assert_int_equal(read(fd, got, sizeof got), -1);
	assert_memory_equal(b.console, "ab", 2); /* the ring does not wait */
	vdev_bench_pass(&b, b.vdev->alarm_ns);
	assert_int_equal(read(fd, got, sizeof got), 2);
	assert_string_equal(got, "ab");
	vdev_bench_close(&b);
	close(fd);
}
