/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's end of the dialogue with a worker, against a worker that is played here: no
 * process is made, daemon/worker/process.c is stood in for.
 */
#include "daemon/worker/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/worker/process.h"
#include "tests/unit/test.h"

/* --- the process that is none --- */

static struct {
	int link; /* the worker's end */
	int pidfd;
	int code, status;
} played;

static void die(int code, int status)
{
	if (played.code)
		return;
	played.code = code;
	played.status = status;
	eventfd_write(played.pidfd, 1);
}

int process_spawn(const struct process_spec *s, struct process *ret, struct err *e)
{
	(void)e;
	played.link = fcntl(s->fd[0], F_DUPFD_CLOEXEC, 3);
	played.pidfd = eventfd(0, EFD_CLOEXEC);
	played.code = 0;
	*ret = (struct process){.pid = 4711, .fd = played.pidfd};
	return 0;
}

void process_kill(const struct process *p)
{
	if (p->fd >= 0)
		die(CLD_KILLED, SIGKILL);
}

void process_signal(const struct process *p, int signal)
{
	(void)p;
	(void)signal;
}

void process_reap(struct process *p, int *ret_code, int *ret_status)
{
	*ret_code = played.code;
	*ret_status = played.status;
	close(p->fd);
	p->fd = -1;
}

int process_fork(void (*run)(int link, const void *arg), const void *arg, const int *fd, unsigned n,
		 struct process *ret, struct err *e)
{
	(void)run;
	(void)arg;
	(void)fd;
	(void)n;
	(void)ret;
	return err_set(e, INTERNAL, "no opener is played here");
}

int process_find(pid_t pid, uint64_t start, struct process *ret, struct err *e)
{
	(void)pid;
	(void)start;
	(void)ret;
	(void)e;
	return 0;
}

int process_open(pid_t pid, struct process *ret, struct err *e)
{
	(void)pid;
	(void)ret;
	return err_set(e, INTERNAL, "no process is opened here");
}

bool process_has_ended(const struct process *p)
{
	(void)p;
	return false;
}

/* --- its owner --- */

static struct {
	int planned, invalid, ready, started, held, adopted, fault, ended;
	struct ending ending;
	struct err why;
	char detail[128];
} heard;

static void on_planned(struct worker *w, void *arg)
{
	(void)w;
	(void)arg;
	heard.planned++;
}

static void on_invalid(struct worker *w, void *arg)
{
	(void)w;
	(void)arg;
	heard.invalid++;
}

static void on_ready(struct worker *w, void *arg)
{
	(void)arg;
	heard.ready++;
	worker_start(w);
}

static void on_adopted(struct worker *w, void *arg)
{
	(void)w;
	(void)arg;
	heard.adopted++;
}

static void on_started(struct worker *w, void *arg)
{
	(void)w;
	(void)arg;
	heard.started++;
}

static void on_held(struct worker *w, void *arg)
{
	(void)w;
	(void)arg;
	heard.held++;
}

static void on_fault(struct worker *w, void *arg)
{
	(void)w;
	(void)arg;
	heard.fault++;
}

static void on_ended(struct worker *w, void *arg)
{
	(void)arg;
	heard.ended++;
	heard.ending = w->ending;
	heard.why = w->why;
	str_copy(heard.detail, sizeof heard.detail, w->detail);
	worker_free(w);
}

static const struct worker_owner owner = {
	.planned = on_planned,
	.invalid = on_invalid,
	.ready = on_ready,
	.started = on_started,
	.held = on_held,
	.fault = on_fault,
	.adopted = on_adopted,
	.ended = on_ended,
};

static struct daemon d;

static struct worker *begin(void)
{
	const struct policy policy = policy_default();
	struct worker_spec s = {.vm = "x",
				.cgroup = "vm-x",
				.policy = &policy,
				.config = "ram 1m\n",
				.bytes = 7,
				.folder = "",
				.heartbeat_ms = 500,
				.freezes = 1u << CAUSE_CLASS_FAILURE,
				.owner = &owner};
	struct worker *w;
	struct err e;

	memset(&heard, 0, sizeof heard);
	d = (struct daemon){.cgroup.fd = -1};
	assert_true(sd_event_new(&d.loop) >= 0);
	assert_int_equal(worker_spawn(&d, &s, &w, &e), 0);
	return w;
}

/* Let the loop do what is to be done now. */
static void turn(void)
{
	for (int i = 0; i < 1000 && sd_event_run(d.loop, 0) > 0; i++)
		;
}

static void finish(void)
{
	turn();
	close(played.link);
	assert_int_equal(heard.ended, 1);
	sd_event_unref(d.loop);
}

static void say(unsigned type, const void *body)
{
	struct err e;

	wire_send(played.link, &message_table, type, 0, body, NULL, 0, &e);
}

static void say_want(uint32_t index, uint32_t kind, uint64_t bytes)
{
	struct msg_want w = {.index = index, .kind = kind, .bytes = bytes};

	say(MESSAGE_WANT, &w);
}

static void say_plan(uint32_t n_wants)
{
	say(MESSAGE_PLAN, &(struct msg_plan){.n_wants = n_wants, .n_vcpus = 1, .n_vdevs = 1});
}

/* What the supervisor sent so far: the types, in order. */
static size_t hear(unsigned *ret_types, size_t cap)
{
	struct wire_msg m;
	struct err e;
	size_t n = 0;

	while (n < cap && wire_recv(played.link, &message_table, WIRE_TO_WORKER, &m, &e) == 1) {
		ret_types[n++] = m.hdr.type;
		wire_close_fds(&m);
	}
	return n;
}

/* A box, a RAM, a KVM: any descriptor does, but the box is a real one. */
static void grant(struct worker *w, struct blackbox_map *ret_box)
{
	int *fds = calloc(3, sizeof *fds), box;
	struct err e;

	assert_int_equal(blackbox_create("x", 1, 1, &box, &e), 0);
	assert_int_equal(blackbox_map_writer(box, ret_box, &e), 0);
	fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fds[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fds[2] = box;
	worker_grant(w, fds);
}

static struct worker *assemble(struct worker *w, struct blackbox_map *ret_box)
{
	say_want(0, WANT_KVM, 0);
	say_want(1, WANT_RAM, 4096);
	say_want(2, WANT_BLACKBOX, 0);
	say_plan(3);
	turn();
	assert_int_equal(heard.planned, 1);
	grant(w, ret_box);
	say(MESSAGE_READY, &(struct msg_ready){0});
	turn();
	return w;
}

static struct worker *run(struct blackbox_map *ret_box)
{
	struct worker *w = assemble(begin(), ret_box);

	say(MESSAGE_STARTED, &(struct msg_empty){0});
	turn();
	assert_int_equal(heard.started, 1);
	return w;
}

/* --- the dialogue --- */

TEST(worker_is_led_from_its_configuration_to_its_first_instruction)
{
	static const unsigned expected[] = {MESSAGE_CONFIG, MESSAGE_GRANT,    MESSAGE_GRANT,
					    MESSAGE_GRANT,  MESSAGE_ASSEMBLE, MESSAGE_START};
	struct blackbox_map box;
	unsigned types[16];

	run(&box);
	assert_int_equal(hear(types, 16), NELEMS(expected));
	assert_memory_equal(types, expected, sizeof expected);
	say(MESSAGE_ENDED, &(struct msg_ended){.cause = CAUSE_POWEROFF, .detail = "S5"});
	die(CLD_EXITED, 0);
	finish();
	blackbox_unmap(&box);
	assert_int_equal(heard.ending.cause, CAUSE_POWEROFF);
	assert_string_equal(heard.detail, "S5");
}

TEST(worker_words_in_the_link_are_heard_after_its_death)
{
	struct blackbox_map box;

	run(&box);
	/* Both before the loop turns: its pidfd is looked at first. */
	say(MESSAGE_ENDED, &(struct msg_ended){.cause = CAUSE_TRIPLE_FAULT, .exit_code = 7});
	die(CLD_EXITED, 7);
	finish();
	blackbox_unmap(&box);
	assert_int_equal(heard.ending.cause, CAUSE_TRIPLE_FAULT);
}

TEST(worker_words_in_the_black_box_count_when_the_message_did_not_come)
{
	struct blackbox_map box;

	run(&box);
	box.box->end.cause = CAUSE_TRIPLE_FAULT;
	box.box->end.exit_code = 7;
	atomic_store(&box.box->end.is_set, 1);
	die(CLD_EXITED, 7);
	finish();
	blackbox_unmap(&box);
	assert_int_equal(heard.ending.cause, CAUSE_TRIPLE_FAULT);
}

TEST(worker_that_dies_of_a_forbidden_call_is_known_by_its_number)
{
	struct blackbox_map box;

	run(&box);
	atomic_store(&box.box->forbidden, 41 + 1);
	die(CLD_KILLED, SIGSYS);
	finish();
	blackbox_unmap(&box);
	assert_int_equal(heard.ending.cause, CAUSE_FORBIDDEN_SYSCALL);
	assert_int_equal(heard.ending.syscall, 41);
}

TEST(worker_with_a_wrong_configuration_says_so_and_goes)
{
	struct diagnostic f = {.severity = DIAGNOSTIC_ERROR, .line = 3, .what = "wrong"};

	begin();
	say(MESSAGE_DIAGNOSTIC, &f);
	say(MESSAGE_INVALID, &(struct msg_invalid){.n_errors = 1});
	die(CLD_EXITED, 65);
	finish();
	assert_int_equal(heard.invalid, 1);
	assert_int_equal(heard.ending.cause, CAUSE_CONFIGURATION);
}

/* --- the hostile --- */

static void must_be_a_breach(void)
{
	finish();
	assert_int_equal(heard.ending.cause, CAUSE_PROTOCOL);
	assert_int_equal(heard.ending.signal, SIGKILL);
	assert_int_equal(heard.why.code, ERR_PROTOCOL);
}

TEST(worker_that_sends_anothers_message_is_ended)
{
	struct wire_hdr h = {WIRE_VERSION, MESSAGE_GRANT, sizeof(struct msg_grant), 0};
	char bytes[sizeof h + sizeof(struct msg_grant)] = {0};

	begin();
	memcpy(bytes, &h, sizeof h);
	assert_int_equal(send(played.link, bytes, sizeof bytes, 0), sizeof bytes);
	must_be_a_breach();
}

TEST(worker_that_sends_rubbish_is_ended)
{
	static const char rubbish[5000];

	begin();
	assert_int_equal(send(played.link, rubbish, sizeof rubbish, 0), sizeof rubbish);
	must_be_a_breach();
}

TEST(worker_that_stands_unasked_is_ended)
{
	struct blackbox_map box;

	run(&box);
	say(MESSAGE_HELD, &(struct msg_hold){.serial = 1});
	must_be_a_breach();
	blackbox_unmap(&box);
	assert_int_equal(heard.held, 0);
}

TEST(worker_that_stands_too_late_is_not_heard_and_twice_is_a_breach)
{
	struct blackbox_map box;
	struct worker *w = run(&box);

	worker_hold(w, WORKER_HOLD_DUMP);
	worker_release(w, WORKER_HOLD_DUMP);
	worker_hold(w, WORKER_HOLD_DUMP);
	say(MESSAGE_HELD, &(struct msg_hold){.serial = 1});
	turn();
	assert_int_equal(heard.held, 0);
	say(MESSAGE_HELD, &(struct msg_hold){.serial = 2});
	turn();
	assert_int_equal(heard.held, 1);
	say(MESSAGE_HELD, &(struct msg_hold){.serial = 2});
	must_be_a_breach();
	blackbox_unmap(&box);
	assert_int_equal(heard.held, 1);
}

TEST(worker_that_stands_for_a_fault_is_heard_once)
{
	struct blackbox_map box;
	struct worker *w = run(&box);
	struct msg_ended m = {.cause = CAUSE_TRIPLE_FAULT, .detail = "vCPU 0\033"};

	say(MESSAGE_FAULT, &m);
	turn();
	assert_int_equal(heard.fault, 1);
	assert_true(w->is_frozen);
	assert_string_equal(w->said.detail, "vCPU 0?");
	say(MESSAGE_FAULT, &m);
	must_be_a_breach();
	blackbox_unmap(&box);
	assert_int_equal(heard.fault, 1);
}

TEST(worker_that_stands_for_what_it_was_not_told_to_is_ended)
{
	static const uint32_t causes[] = {CAUSE_WATCHDOG, CAUSE_VDEV_ERROR, CAUSE_KILLED,
					  CAUSE_COUNT};

	for (size_t i = 0; i < NELEMS(causes); i++) {
		struct blackbox_map box;

		run(&box);
		say(MESSAGE_FAULT, &(struct msg_ended){.cause = causes[i]});
		must_be_a_breach();
		blackbox_unmap(&box);
		assert_int_equal(heard.fault, 0);
	}
}

TEST(worker_that_starts_out_of_turn_is_ended)
{
	begin();
	say(MESSAGE_STARTED, &(struct msg_empty){0});
	must_be_a_breach();
	assert_int_equal(heard.started, 0);
}

/* One that says it is in its guest before its START would have two owners of one disk. */
TEST(worker_that_is_held_back_and_starts_is_ended)
{
	struct blackbox_map box;

	for (int i = 0; i < 2; i++) {
		struct worker *w = begin();

		w->is_held_back = true;
		assemble(w, &box);
		w->is_adopting = i;
		w->is_held_back = true; /* the owner of this test starts everyone */
		if (i)
			say(MESSAGE_ADOPTED, &(struct msg_adopted){.stage = ADOPTED_RUNS});
		else
			say(MESSAGE_STARTED, &(struct msg_empty){0});
		must_be_a_breach();
		blackbox_unmap(&box);
		assert_int_equal(heard.started, 0);
	}
}

TEST(worker_that_miscounts_its_wants_is_ended)
{
	begin();
	say_want(0, WANT_KVM, 0);
	say_plan(2);
	must_be_a_breach();
	assert_int_equal(heard.planned, 0);
}

TEST(worker_that_wants_what_there_is_not_is_ended)
{
	begin();
	say_want(0, WANT_COUNT, 0);
	must_be_a_breach();
}

TEST(worker_that_wants_without_end_is_ended)
{
	begin();
	for (uint32_t i = 0; i <= MESSAGE_WANTS_MAX; i++) {
		say_want(i, WANT_INPUT, 0);
		turn();
	}
	must_be_a_breach();
}

TEST(worker_that_floods_with_findings_is_ended)
{
	struct diagnostic f;

	begin();
	memset(&f, 0xff, sizeof f);
	for (int i = 0; i < 20000 && !heard.ended; i++) {
		say(MESSAGE_DIAGNOSTIC, &f);
		turn();
	}
	must_be_a_breach();
}

TEST(worker_that_plans_twice_is_ended)
{
	begin();
	say_want(0, WANT_KVM, 0);
	say_plan(1);
	say_plan(1);
	must_be_a_breach();
	assert_int_equal(heard.planned, 1);
}

TEST(worker_that_is_being_ended_is_no_longer_listened_to)
{
	struct worker *w = begin();

	worker_fence(w, CAUSE_RESOURCE, NULL);
	say_plan(0);
	finish();
	assert_int_equal(heard.planned, 0);
	assert_int_equal(heard.ending.cause, CAUSE_RESOURCE);
}

/* Every byte of the box turned into nonsense: nothing of it is believed, nothing breaks. */
TEST(worker_that_scribbles_over_its_black_box_harms_nobody)
{
	struct blackbox_map box;

	run(&box);
	memset((char *)box.box + 8, 0xff, box.bytes - 8);
	die(CLD_EXITED, 0);
	finish();
	blackbox_unmap(&box);
	assert_true(cause_is_failure(heard.ending.cause));
	assert_string_equal(heard.detail, "");
}

TEST(worker_that_claims_an_order_nobody_gave_breaks_the_protocol)
{
	struct blackbox_map box;

	run(&box);
	say(MESSAGE_ENDED, &(struct msg_ended){.cause = CAUSE_HOST_SHUTDOWN, .exit_code = 3});
	die(CLD_EXITED, 3);
	finish();
	blackbox_unmap(&box);
	assert_int_equal(heard.ending.cause, CAUSE_PROTOCOL);
}
