/* SPDX-License-Identifier: Apache-2.0 */
/* A worker of an earlier supervisor, played here: what it may say, and what it may not. */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/worker/worker.h"
#include "tests/unit/test.h"

static struct {
	int ready, started, held, adopted;
} heard;

static void on_ready(struct worker *w, void *arg)
{
	(void)w;
	(void)arg;
	heard.ready++;
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

static void on_adopted(struct worker *w, void *arg)
{
	(void)w;
	(void)arg;
	heard.adopted++;
}

static const struct worker_owner owner = {
	.ready = on_ready, .started = on_started, .held = on_held, .adopted = on_adopted};

static struct daemon d;
static int its_link;

static struct worker *adopt(bool runs, bool is_foreign)
{
	struct worker_legacy l = {.vm = "x",
				  .cgroup = "",
				  .home = "",
				  .words = -1,
				  .box_fd = -1,
				  .runs = runs,
				  .is_foreign = is_foreign,
				  .owner = &owner};
	int link[2];
	struct err e;

	memset(&heard, 0, sizeof heard);
	d = (struct daemon){.cgroup.fd = -1};
	assert_true(sd_event_new(&d.loop) >= 0);
	assert_int_equal(wire_pair(link, &e), 0);
	its_link = link[1];
	l.link = link[0];
	l.process = (struct process){.pid = 4711, .fd = eventfd(0, EFD_CLOEXEC)};
	return worker_adopt(&d, &l);
}

static void say(unsigned type, const void *body)
{
	struct err e;

	assert_int_equal(wire_send(its_link, &message_table, type, 0, body, NULL, 0, &e), 0);
	for (int i = 0; i < 100 && sd_event_run(d.loop, 0) > 0; i++)
		;
}

static void say_stage(uint32_t stage)
{
	say(MESSAGE_ADOPTED, &(struct msg_adopted){.stage = stage});
}

static unsigned hear(void)
{
	struct wire_msg m;
	struct err e;

	return wire_recv(its_link, &message_table, WIRE_TO_WORKER, &m, &e) == 1 ? m.hdr.type : 0;
}

static void finish(struct worker *w)
{
	worker_free(w);
	close(its_link);
	sd_event_unref(d.loop);
}

TEST(adopted_worker_is_asked_and_its_vcpus_go_on)
{
	struct worker *w = adopt(true, false);

	assert_int_equal(hear(), MESSAGE_ADOPT);
	assert_int_equal(hear(), 0);
	say_stage(ADOPTED_RUNS);
	assert_int_equal(heard.adopted, 1);
	assert_int_equal(heard.started, 0);
	assert_int_equal(hear(), MESSAGE_RELEASE);
	assert_int_equal(w->fenced, CAUSE_NONE);
	finish(w);
}

TEST(adopted_worker_that_waits_for_its_start_is_given_to_its_owner)
{
	struct worker *w = adopt(false, false);

	say_stage(ADOPTED_READY);
	assert_int_equal(heard.ready, 1);
	assert_int_equal(heard.adopted, 1);
	finish(w);
}

TEST(adopted_worker_whose_start_nobody_wrote_down_has_started)
{
	struct worker *w = adopt(false, false);

	say_stage(ADOPTED_RUNS);
	assert_int_equal(heard.started, 1);
	assert_int_equal(w->phase, WORKER_RUNS);
	finish(w);
}

TEST(adopted_worker_may_say_once_more_what_was_for_the_last_supervisor)
{
	struct worker *w = adopt(true, false);

	say(MESSAGE_HELD, &(struct msg_hold){.serial = 5});
	say_stage(ADOPTED_RUNS);
	assert_int_equal(heard.held, 0);
	assert_int_equal(w->fenced, CAUSE_NONE);
	say(MESSAGE_HELD, &(struct msg_hold){.serial = 5});
	assert_int_equal(w->fenced, CAUSE_PROTOCOL);
	finish(w);
}

TEST(adopted_worker_that_answers_twice_or_nonsense_breaks_the_protocol)
{
	struct worker *w = adopt(true, false);

	say_stage(ADOPTED_RUNS);
	say_stage(ADOPTED_RUNS);
	assert_int_equal(w->fenced, CAUSE_PROTOCOL);
	finish(w);
	w = adopt(true, false);
	say_stage(ADOPTED_STAGES);
	assert_int_equal(w->fenced, CAUSE_PROTOCOL);
	finish(w);
	w = adopt(true, false);
	say_stage(ADOPTED_READY); /* it is known to run */
	assert_int_equal(w->fenced, CAUSE_PROTOCOL);
	finish(w);
}

TEST(adopted_worker_that_cannot_be_talked_to_is_neither_heard_nor_told)
{
	struct worker *w = adopt(true, true);

	say(MESSAGE_READY, &(struct msg_ready){0});
	worker_button(w);
	assert_int_equal(hear(), 0);
	assert_int_equal(w->fenced, CAUSE_NONE);
	finish(w);
}
