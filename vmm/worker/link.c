/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/link.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/str.h"
#include "schemas/message.h"
#include "vmm/conf/board.h"
#include "vmm/vdev/plugin.h"
#include "vmm/worker/life.h"
#include "vmm/worker/reading.h"

enum { SEND_PATIENCE_MS = 10000 };

enum stage { STAGE_CONFIG, STAGE_GRANTS, STAGE_READY, STAGE_RUNNING, STAGE_OVER };

struct link {
	enum stage stage;
	struct reading reading;
	bool is_lost;	  /* nobody has the other end any more, and the guest runs on */
	bool has_entered; /* STARTED was sent */
	bool is_frozen;	  /* by this fault */
	struct msg_ended fault;
	uint64_t hold;	     /* serial of the HOLD that is not answered yet; 0 = none */
	uint64_t input_lost; /* bytes typed that the guest had no room for */
	struct life life;
	struct machine_end end; /* at STAGE_OVER */
};

/* A socket's queue is short and a plan is long: wait for the supervisor, but not for ever. */
int link_send(unsigned type, const void *body, struct err *e)
{
	struct pollfd p = {LINK_FD, POLLOUT, 0};

	while (wire_send(LINK_FD, &message_table, type, 0, body, NULL, 0, e) < 0) {
		if (e->code != ERR_PROTOCOL)
			return -1;
		if (ppoll(&p, 1, &(struct timespec){.tv_sec = SEND_PATIENCE_MS / 1000}, NULL) == 0)
			return err_wrap(e, "for %d ms", SEND_PATIENCE_MS);
	}
	return 0;
}

static void end_with(struct link *l, enum cause cause, const struct err *err)
{
	l->stage = STAGE_OVER;
	l->end = life_no_machine(cause, err);
}

static int read_config(struct link *l, struct wire_msg *m, struct err *e)
{
	struct err fault = {0};
	int r = reading_take(&l->reading, m, &fault, e);

	if (r == 1)
		l->stage = STAGE_GRANTS;
	else if (r == 0)
		end_with(l, CAUSE_CONFIGURATION, &fault);
	return r < 0 ? -1 : 0;
}

static int take_grant(struct link *l, struct wire_msg *m, struct err *e)
{
	struct msg_grant g;
	const struct want *w;

	memcpy(&g, m->body, sizeof g);
	if (g.index >= l->life.wants.n)
		return err_set(e, PROTOCOL, "GRANT %u of %u wants", g.index, l->life.wants.n);
	w = &l->life.wants.want[g.index];
	if (g.kind != w->kind || *w->fd >= 0)
		return err_set(e, PROTOCOL, "GRANT %u as %s: it is %s, %s", g.index,
			       want_kind_id(g.kind), want_kind_id(w->kind),
			       *w->fd >= 0 ? "granted already" : "not granted yet");
	*w->fd = wire_take_fd(m, 0);
	return 0;
}

static int assemble(struct link *l, struct err *e)
{
	struct msg_ready ready = {.sandbox = l->life.layers};

	if (life_assemble(&l->life, l->reading.config.heartbeat_ms, e) < 0) {
		l->stage = STAGE_OVER;
		l->end = life_failed_start(e);
		return 0;
	}
	l->stage = STAGE_READY;
	return link_send(MESSAGE_READY, &ready, e);
}

static int start(struct link *l, struct err *e)
{
	machine_freeze(l->life.machine, l->reading.config.freezes);
	if (life_start(&l->life, e) < 0) {
		l->stage = STAGE_OVER;
		l->end = life_failed_start(e);
		return 0;
	}
	l->stage = STAGE_RUNNING;
	return 0;
}

static void cut(struct link *l, const struct wire_msg *m)
{
	struct msg_cut c;

	memcpy(&c, m->body, sizeof c);
	if (c.cause == CAUSE_NONE || c.cause >= CAUSE_COUNT)
		c.cause = CAUSE_POWER_CUT;
	if (l->stage == STAGE_RUNNING)
		machine_cut(l->life.machine, c.cause);
	else
		end_with(l, c.cause, NULL);
}

static int answer_hold(struct link *l, struct err *e)
{
	struct msg_hold h = {.serial = l->hold};

	l->hold = 0;
	return h.serial ? link_send(MESSAGE_HELD, &h, e) : 0;
}

/* Another supervisor has the link. */
static int answer_adopt(struct link *l, struct err *e)
{
	struct msg_adopted m = {.stage = l->stage == STAGE_READY ? ADOPTED_READY
					 : l->has_entered	 ? ADOPTED_RUNS
								 : ADOPTED_ENTERS};

	/* Again: the last supervisor may have died of reading it. */
	if (l->is_frozen && link_send(MESSAGE_FAULT, &l->fault, e) < 0)
		return -1;
	return link_send(MESSAGE_ADOPTED, &m, e);
}

static int hold(struct link *l, const struct wire_msg *m, struct err *e)
{
	struct msg_hold h;

	memcpy(&h, m->body, sizeof h);
	l->hold = h.serial;
	machine_hold(l->life.machine);
	return machine_is_held(l->life.machine) ? answer_hold(l, e) : 0;
}

static void release(struct link *l)
{
	l->hold = 0;
	life_release(&l->life);
}

static void input(struct link *l, const struct wire_msg *m)
{
	struct msg_input in;
	size_t lost;

	memcpy(&in, m->body, sizeof in);
	if (in.n > sizeof in.bytes)
		in.n = sizeof in.bytes;
	atomic_fetch_add(&l->life.box.box->typed, in.n);
	lost = machine_input(l->life.machine, in.bytes, in.n);
	if (lost == 0)
		return;
	l->input_lost += lost;
	log_warn(NULL,
		 "the guest does not read its console: %zu typed bytes were lost, %" PRIu64
		 " in all",
		 lost, l->input_lost);
}

/* One message. What does not belong to this stage breaks the protocol. */
static int take(struct link *l, struct wire_msg *m, struct err *e)
{
	unsigned type = m->hdr.type;

	if (type == MESSAGE_CUT && l->stage != STAGE_OVER) {
		cut(l, m);
		return 0;
	}
	if (type == MESSAGE_ADOPT && (l->stage == STAGE_READY || l->stage == STAGE_RUNNING))
		return answer_adopt(l, e);
	switch (l->stage) {
	case STAGE_CONFIG:
		if (type == MESSAGE_CONFIG)
			return read_config(l, m, e);
		break;
	case STAGE_GRANTS:
		if (type == MESSAGE_GRANT)
			return take_grant(l, m, e);
		if (type == MESSAGE_ASSEMBLE)
			return assemble(l, e);
		break;
	case STAGE_READY:
		if (type == MESSAGE_START)
			return start(l, e);
		if (type == MESSAGE_HOLD)
			return hold(l, m, e); /* before its first instruction */
		if (type == MESSAGE_RELEASE)
			return 0;
		break;
	case STAGE_RUNNING:
		if (type == MESSAGE_BUTTON)
			machine_button(l->life.machine);
		else if (type == MESSAGE_NMI)
			machine_nmi(l->life.machine);
		else if (type == MESSAGE_INPUT)
			input(l, m);
		else if (type == MESSAGE_HOLD)
			return hold(l, m, e);
		else if (type == MESSAGE_RELEASE)
			release(l);
		else
			break;
		return 0;
	case STAGE_OVER: return 0;
	}
	return err_set(e, PROTOCOL, "%s at the wrong time", message_table.rule[type].name);
}

static int take_all(struct link *l, struct err *e)
{
	int got = 1;

	while (got == 1 && l->stage != STAGE_OVER) {
		AUTO(wire_close_fds) struct wire_msg m;

		got = wire_recv(LINK_FD, &message_table, WIRE_TO_WORKER, &m, e);
		if (got == 1 && take(l, &m, e) < 0)
			return -1;
	}
	return got < 0 ? -1 : 0;
}

/* The supervisor is gone, and who kept its end for the next one too; or took its time to come. */
static bool runs_on(struct link *l, const struct err *e)
{
	if (e->code != ERR_WORKER || l->stage != STAGE_RUNNING || l->reading.config.ends_with_link)
		return false;
	l->is_lost = true;
	log_warn(NULL, "the supervisor is lost, and no other can adopt this VM: the guest runs on");
	return true;
}

/* A broken link: whose fault it is decides the cause; a running machine is ended first. */
static void lost(struct link *l, const struct err *e)
{
	if (runs_on(l, e))
		return;
	enum cause cause = e->code == ERR_WORKER       ? CAUSE_SUPERVISOR_LOST
			   : l->stage == STAGE_RUNNING ? CAUSE_WORKER_ERROR
						       : CAUSE_START_FAILED;

	if (l->stage == STAGE_RUNNING) {
		machine_cut(l->life.machine, cause);
		life_end(&l->life, &l->end);
		l->end.err = *e;
		l->stage = STAGE_OVER;
	} else {
		end_with(l, cause, e);
	}
}

static int say_fault(struct link *l, struct err *e)
{
	struct machine_end how;

	life_note_fault(&l->life, &how);
	if (l->is_lost) {
		machine_cut(l->life.machine, how.cause); /* nobody would come to look */
		return 0;
	}
	l->is_frozen = true;
	l->fault =
		(struct msg_ended){.cause = how.cause, .exit_code = how.exit_code, .err = how.err};
	str_copy(l->fault.detail, sizeof l->fault.detail, how.detail);
	return link_send(MESSAGE_FAULT, &l->fault, e);
}

static int step(struct link *l, struct err *e)
{
	static const struct msg_empty empty;
	struct life_news news;

	if (life_wait(&l->life, l->is_lost ? -1 : LINK_FD, &news, e) < 0)
		return -1;
	if (news.started) {
		l->has_entered = true;
		if (!l->is_lost && link_send(MESSAGE_STARTED, &empty, e) < 0)
			return -1;
	}
	if (news.ended) {
		life_end(&l->life, &l->end);
		l->stage = STAGE_OVER;
		return 0;
	}
	if (news.fault && say_fault(l, e) < 0)
		return -1;
	if (news.held && answer_hold(l, e) < 0)
		return -1;
	return news.door ? take_all(l, e) : 0;
}

static void say_ended(struct link *l)
{
	struct msg_ended m = {.cause = l->end.cause, .exit_code = l->end.exit_code};
	struct err e;

	life_note_end(&l->life, &l->end);
	str_copy(m.detail, sizeof m.detail, l->end.detail);
	m.err = l->end.err;
	/* INVALID was the last word about a wrong configuration; a lost supervisor hears nothing. */
	if (l->end.cause == CAUSE_CONFIGURATION || l->end.cause == CAUSE_SUPERVISOR_LOST ||
	    l->is_lost)
		return;
	if (link_send(MESSAGE_ENDED, &m, &e) < 0)
		log_warn(NULL, "the end did not reach the supervisor: %s", e.msg);
}

static void ignore_signals(void)
{
	static const int none_of_its_doors[] = {SIGHUP,	 SIGINT,  SIGTERM, SIGQUIT,
						SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ};

	for (size_t i = 0; i < NELEMS(none_of_its_doors); i++)
		signal(none_of_its_doors[i], SIG_IGN);
}

int link_run(void)
{
	struct link l = {.stage = STAGE_CONFIG};
	struct err e = {0};

	ignore_signals();
	if (fcntl(VDEVS_FD, F_GETFD) >= 0)
		plugin_open(VDEVS_FD, NULL);
	life_init(&l.life, true);
	l.reading.life = &l.life;
	while (l.stage != STAGE_OVER)
		if (step(&l, &e) < 0)
			lost(&l, &e);
	say_ended(&l);
	life_free(&l.life);
	return (int)l.end.exit_code;
}
