/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/ending.h"

#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/test.h"

static struct ending_evidence exited(int status)
{
	return (struct ending_evidence){.code = CLD_EXITED, .status = status, .forbidden = -1};
}

static struct ending_evidence killed(int signal)
{
	return (struct ending_evidence){.code = CLD_KILLED, .status = signal, .forbidden = -1};
}

static struct ending_evidence says(enum cause cause)
{
	struct ending_evidence e = exited(cause_exit(cause));

	e.has_said = true;
	e.said_cause = cause;
	e.said_exit = (uint32_t)cause_exit(cause);
	return e;
}

static enum cause judge(struct ending_evidence e)
{
	return ending_judge(&e).cause;
}

TEST(ending_believes_a_worker_whose_words_and_status_agree)
{
	assert_int_equal(judge(says(CAUSE_POWEROFF)), CAUSE_POWEROFF);
	assert_int_equal(judge(says(CAUSE_TRIPLE_FAULT)), CAUSE_TRIPLE_FAULT);
}

TEST(ending_doubts_a_worker_whose_words_and_status_differ)
{
	struct ending_evidence e = says(CAUSE_POWEROFF);

	e.status = 7;
	assert_int_equal(judge(e), CAUSE_WORKER_EXIT);
}

TEST(ending_without_a_word_is_worker_exit)
{
	assert_int_equal(judge(exited(0)), CAUSE_WORKER_EXIT);
}

TEST(ending_by_the_kernel_for_lack_of_memory_is_out_of_memory)
{
	struct ending_evidence e = killed(SIGKILL);

	e.is_out_of_memory = true;
	assert_int_equal(judge(e), CAUSE_OUT_OF_MEMORY);
	/* Its loop stood while it was being ended. */
	e.fenced = CAUSE_WORKER_HUNG;
	assert_int_equal(judge(e), CAUSE_OUT_OF_MEMORY);
}

/* A process that a hostile worker forked may have been ended so: its own end is another matter. */
TEST(ending_is_not_out_of_memory_when_it_was_something_else)
{
	struct ending_evidence e = killed(SIGKILL);

	e.is_out_of_memory = true;
	e.fenced = CAUSE_PROTOCOL;
	assert_int_equal(judge(e), CAUSE_PROTOCOL);
	e = killed(SIGSEGV);
	e.is_out_of_memory = true;
	assert_int_equal(judge(e), CAUSE_WORKER_SIGNAL);
	e = says(CAUSE_POWEROFF);
	e.is_out_of_memory = true;
	assert_int_equal(judge(e), CAUSE_POWEROFF);
}

/* An orderly end that nobody ordered would hide a fault and evade the policy. */
TEST(ending_refuses_causes_that_are_not_a_workers_to_claim)
{
	static const enum cause forged[] = {CAUSE_NONE,		 CAUSE_HOST_SHUTDOWN,
					    CAUSE_KILLED,	 CAUSE_STOP_DEADLINE,
					    CAUSE_WORKER_SIGNAL, CAUSE_SUPERVISOR_LOST};

	for (size_t i = 0; i < sizeof forged / sizeof *forged; i++)
		assert_int_equal(judge(says(forged[i])), CAUSE_PROTOCOL);
	struct ending_evidence e = says(CAUSE_POWEROFF);

	e.said_cause = 4000000000u;
	assert_true(cause_is_failure(judge(e)));
}

/* The kernel told another: what is left is the worker's own word, or none. */
TEST(ending_that_nobody_saw_is_what_its_box_says_or_a_loss)
{
	struct ending_evidence e = says(CAUSE_TRIPLE_FAULT);

	e.code = e.status = 0;
	assert_int_equal(judge(e), CAUSE_TRIPLE_FAULT);
	assert_int_equal(ending_judge(&e).exit_code, -1);
	e.has_said = false;
	assert_int_equal(judge(e), CAUSE_WORKER_LOST);
	e.forbidden = 41;
	assert_int_equal(judge(e), CAUSE_FORBIDDEN_SYSCALL);
	e.fenced = CAUSE_KILLED;
	assert_int_equal(judge(e), CAUSE_KILLED);
}

TEST(ending_of_one_that_was_alone_may_be_for_that)
{
	struct ending_evidence e = says(CAUSE_SUPERVISOR_LOST);

	e.was_alone = true;
	assert_int_equal(judge(e), CAUSE_SUPERVISOR_LOST);
	e = says(CAUSE_KILLED);
	e.was_alone = true;
	assert_int_equal(judge(e), CAUSE_PROTOCOL);
}

TEST(ending_believes_what_it_was_told_to_say)
{
	struct ending_evidence e = says(CAUSE_HOST_SHUTDOWN);

	e.cut = CAUSE_HOST_SHUTDOWN;
	assert_int_equal(judge(e), CAUSE_HOST_SHUTDOWN);
}

TEST(ending_by_our_kill_is_what_we_killed_it_for)
{
	struct ending_evidence e = killed(SIGKILL);

	e.fenced = CAUSE_STOP_DEADLINE;
	assert_int_equal(judge(e), CAUSE_STOP_DEADLINE);
}

/* It was quicker than our SIGKILL. */
TEST(ending_in_order_just_before_our_kill_is_in_order)
{
	struct ending_evidence e = says(CAUSE_POWEROFF);

	e.fenced = CAUSE_STOP_DEADLINE;
	assert_int_equal(judge(e), CAUSE_POWEROFF);
}

TEST(ending_by_a_foreign_kill_is_worker_signal)
{
	struct ending_evidence e = killed(SIGKILL);
	struct ending r = ending_judge(&e);

	assert_int_equal(r.cause, CAUSE_WORKER_SIGNAL);
	assert_int_equal(r.signal, SIGKILL);
	assert_int_equal(r.exit_code, -1);
}

TEST(ending_by_sigsys_names_the_system_call)
{
	struct ending_evidence e = killed(SIGSYS);
	struct ending r;

	e.forbidden = 41;
	r = ending_judge(&e);
	assert_int_equal(r.cause, CAUSE_FORBIDDEN_SYSCALL);
	assert_int_equal(r.syscall, 41);
}

TEST(ending_after_invalid_is_the_configuration)
{
	struct ending_evidence e = exited(65);

	e.is_invalid = true;
	assert_int_equal(judge(e), CAUSE_CONFIGURATION);
}
