/* SPDX-License-Identifier: Apache-2.0 */
/* What may end the process that does it: what a child says, or how it ended. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attempt.h"
#include "tests/unit/test.h"

static void say(void *arg, void *said)
{
	memcpy(said, arg, 4);
}

static void leave(void *arg, void *said)
{
	memcpy(said, "lost", 4);
	_exit(*(const int *)arg);
}

static void die(void *arg, void *said)
{
	(void)said;
	signal(*(const int *)arg, SIG_DFL);
	raise(*(const int *)arg);
}

TEST(attempt_hands_over_what_its_body_said)
{
	char ret[ATTEMPT_MOST], nothing[sizeof ret] = {0};
	int status;
	struct err e;

	assert_int_equal(attempt_run(say, (char[]){"word"}, ret, sizeof ret, &status, &e), 0);
	assert_memory_equal(ret, "word", 4);
	assert_memory_equal(ret + 4, nothing, sizeof ret - 4);
}

TEST(attempt_tells_how_a_body_ended_that_did_not_return)
{
	char ret[4], end[ATTEMPT_END];
	int status;
	struct err e;

	assert_int_equal(attempt_run(leave, &(int){0}, ret, sizeof ret, &status, &e), 1);
	assert_string_equal(attempt_end(status, end), "status 0");
	assert_int_equal(attempt_run(leave, &(int){7}, ret, sizeof ret, &status, &e), 1);
	assert_string_equal(attempt_end(status, end), "status 7");
	assert_int_equal(attempt_run(die, &(int){SIGKILL}, ret, sizeof ret, &status, &e), 1);
	assert_string_equal(attempt_end(status, end), "signal KILL");
	assert_int_equal(attempt_run(die, &(int){SIGRTMIN}, ret, sizeof ret, &status, &e), 1);
	assert_string_equal(attempt_end(status, end), "signal 34");
}
