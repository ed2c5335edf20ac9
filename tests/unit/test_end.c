/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/end.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "tests/unit/test.h"

static void count_kick(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

static int is_readable(const struct end *x)
{
	return poll(&(struct pollfd){x->fd, POLLIN, 0}, 1, 0);
}

TEST(end_keeps_the_first_cause_and_tells_it_once)
{
	struct machine_end first = {.cause = CAUSE_REBOOT, .vcpu = 1, .detail = "i8042 reset"};
	struct machine_end second = {.cause = CAUSE_TRIPLE_FAULT}, how;
	atomic_uint kicks = 0;
	struct end x;
	struct err e;

	assert_int_equal(end_init(&x, count_kick, &kicks, &e), 0);
	assert_int_equal(is_readable(&x), 0);
	end_read(&x, &how);
	assert_int_equal(how.cause, CAUSE_NONE);
	assert_true(end_now(&x, &first));
	assert_false(end_now(&x, &second));
	assert_true(end_is_near(&x));
	assert_int_equal(is_readable(&x), 1);
	end_read(&x, &how);
	assert_int_equal(how.cause, CAUSE_REBOOT);
	assert_string_equal(how.detail, "i8042 reset");
	assert_int_equal(kicks, 1);
	end_destroy(&x);
}

static bool freeze_reboots(void *arg, const struct machine_end *how)
{
	(void)arg;
	return how->cause == CAUSE_REBOOT;
}

TEST(end_that_is_frozen_instead_is_none)
{
	atomic_uint kicks = 0;
	struct end x;
	struct err e;

	assert_int_equal(end_init(&x, count_kick, &kicks, &e), 0);
	x.freeze = freeze_reboots;
	assert_false(end_now(&x, &(struct machine_end){.cause = CAUSE_REBOOT}));
	assert_false(end_is_near(&x));
	assert_int_equal(kicks, 0);
	assert_true(end_now(&x, &(struct machine_end){.cause = CAUSE_POWER_CUT}));
	end_destroy(&x);
}

static void *end_from_thread(void *arg)
{
	struct end *x = arg;

	return end_now(x, &(struct machine_end){.cause = CAUSE_HALTED}) ? x : NULL;
}

TEST(end_has_one_winner_among_many_threads)
{
	atomic_uint kicks = 0;
	pthread_t thread[8];
	unsigned winners = 0;
	struct end x;
	struct err e;

	assert_int_equal(end_init(&x, count_kick, &kicks, &e), 0);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, end_from_thread, &x), 0);
	for (unsigned i = 0; i < 8; i++) {
		void *won = NULL;

		pthread_join(thread[i], &won);
		winners += won != NULL;
	}
	assert_int_equal(winners, 1);
	assert_int_equal(kicks, 1);
	end_destroy(&x);
}

static void kick_slowly(void *arg)
{
	usleep(20000);
	count_kick(arg);
}

TEST(end_is_awaited_until_its_thread_has_kicked_everybody)
{
	atomic_uint kicks = 0;
	pthread_t thread;
	struct end x;
	struct err e;

	assert_int_equal(end_init(&x, kick_slowly, &kicks, &e), 0);
	assert_int_equal(pthread_create(&thread, NULL, end_from_thread, &x), 0);
	end_await(&x);
	assert_int_equal(kicks, 1);
	pthread_join(thread, NULL);
	end_destroy(&x);
}
