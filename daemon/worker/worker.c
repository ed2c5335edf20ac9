/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/worker.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/sealed.h"
#include "base/str.h"
#include "daemon/allow.h"
#include "daemon/daemon.h"
#include "daemon/worker/dialogue.h"
#include "daemon/worker/resource.h"
#include "daemon/timer.h"

enum {
	LAST_BURSTS = 160,  /* of what a dead worker left in its link */
	LINGER_MS = 5000,   /* from the last word to the end of the process */
	WORDS_BYTES = 4096, /* of its stderr kept by the kernel */
};

static const struct {
	uint32_t layer;
	uint64_t clone_flag;
} namespaces[] = {
	{SANDBOX_MOUNT_NS, CLONE_NEWNS},  {SANDBOX_PID_NS, CLONE_NEWPID},
	{SANDBOX_NET_NS, CLONE_NEWNET},	  {SANDBOX_IPC_NS, CLONE_NEWIPC},
	{SANDBOX_UTS_NS, CLONE_NEWUTS},	  {SANDBOX_CGROUP_NS, CLONE_NEWCGROUP},
	{SANDBOX_USER_NS, CLONE_NEWUSER},
};

/* As root the worker makes its user namespace itself, last: before it becomes its own uid it needs
 * the true one. An ordinary user borrows the right to make the others from it, so it comes first. */
static uint64_t namespaces_of(uint32_t *ret_made)
{
	uint64_t flags = 0;

	*ret_made = 0;
	for (size_t i = 0; i < NELEMS(namespaces); i++) {
		if (namespaces[i].layer == SANDBOX_USER_NS && geteuid() == 0)
			continue;
		flags |= namespaces[i].clone_flag;
		*ret_made |= namespaces[i].layer;
	}
	return flags;
}

void worker_notice(struct worker *w)
{
	if (!w->noticed_ms)
		w->noticed_ms = clock_wall_ms();
}

void worker_fence(struct worker *w, enum cause cause, const struct err *why)
{
	worker_notice(w);
	if (w->fenced == CAUSE_NONE) {
		w->fenced = cause;
		if (why)
			w->why = *why;
	}
	process_kill(&w->process);
}

static int on_linger(sd_event_source *s, uint64_t us, void *arg)
{
	struct worker *w = arg;
	struct err e;

	(void)s;
	(void)us;
	err_set(&e, WORKER, "the worker of '%s' closed its link or said goodbye, and lived on",
		w->vm);
	worker_fence(w, CAUSE_WORKER_HUNG, &e);
	return 0;
}

static void tell(struct worker *w, unsigned type, const void *body)
{
	struct err e;

	if (w->is_foreign || wire_send(w->link, &message_table, type, 0, body, NULL, 0, &e) == 0)
		return;
	/* A closed link means that it is ending: its pidfd tells the rest. */
	if (e.code == ERR_PROTOCOL)
		worker_fence(w, CAUSE_PROTOCOL, &e);
}

void worker_start(struct worker *w)
{
	w->is_held_back = false;
	tell(w, MESSAGE_START, &(struct msg_empty){0});
}

void worker_button(struct worker *w)
{
	tell(w, MESSAGE_BUTTON, &(struct msg_empty){0});
}

void worker_cut(struct worker *w, enum cause cause)
{
	w->cut = cause;
	tell(w, MESSAGE_CUT, &(struct msg_cut){.cause = cause});
}

void worker_settle(struct worker *w)
{
	if (!w->holders && !w->is_frozen)
		tell(w, MESSAGE_RELEASE, &(struct msg_empty){0});
}

void worker_nmi(struct worker *w)
{
	tell(w, MESSAGE_NMI, &(struct msg_empty){0});
}

bool worker_hold(struct worker *w, uint32_t holder)
{
	bool is_first = !w->holders;

	w->holders |= holder;
	if (is_first)
		tell(w, MESSAGE_HOLD, &(struct msg_hold){.serial = ++w->hold});
	return !worker_is_held(w);
}

void worker_release(struct worker *w, uint32_t holder)
{
	if (!(w->holders & holder))
		return;
	w->holders &= ~holder;
	if (!w->holders)
		tell(w, MESSAGE_RELEASE, &(struct msg_empty){0});
}

bool worker_is_held(const struct worker *w)
{
	return w->holders && w->held == w->hold;
}

int worker_input(struct worker *w, const struct msg_input *in, struct err *e)
{
	struct err why;
	uint64_t room = w->box.box ? blackbox_typing_room(&w->box, w->typed) : in->n;

	if (in->n > room)
		return err_set(
			e, UNREAD,
			"the guest of '%s' has not read what was typed before: it has room for "
			"%" PRIu64 " bytes, and of these %u none was typed; try again, it takes "
			"them once it reads its console",
			w->vm, room, in->n);
	if (wire_send(w->link, &message_table, MESSAGE_INPUT, 0, in, NULL, 0, &why) < 0)
		return err_set(e, UNAVAILABLE, "the worker of '%s' takes no input: %s", w->vm,
			       why.msg);
	w->typed += in->n;
	return 0;
}

/* Those that were not sent. */
static void close_grants(struct worker *w)
{
	for (uint32_t i = 0; w->grant && i < w->n_wants; i++)
		if (w->grant[i] >= 0)
			close(w->grant[i]);
	free(w->grant);
	w->grant = NULL;
}

/* What was said of the configuration is of no use to a VM that runs, and a host has many. */
static void forget_plan(struct worker *w)
{
	close_grants(w);
	opening_release(w);
	free(w->finding);
	free(w->want);
	w->finding = NULL;
	w->want = NULL;
	w->n_findings = w->n_wants = w->n_granted = 0;
}

/* Send as many grants as the link takes now; the rest when it has room again. */
static void send_grants(struct worker *w)
{
	struct err e = {0};

	for (; w->n_granted < w->n_wants; w->n_granted++) {
		uint32_t i = w->n_granted;
		struct msg_grant g = {.index = i, .kind = w->want[i].kind};

		if (wire_send(w->link, &message_table, MESSAGE_GRANT, 0, &g, &w->grant[i], 1, &e) <
		    0)
			break;
		close(w->grant[i]);
		w->grant[i] = -1;
	}
	/* The grants may have filled the link: then this comes when it has room, too. */
	if (w->n_granted == w->n_wants && wire_send(w->link, &message_table, MESSAGE_ASSEMBLE, 0,
						    &(struct msg_empty){0}, NULL, 0, &e) == 0)
		forget_plan(w);
	sd_event_source_set_io_events(w->link_source,
				      e.code == ERR_PROTOCOL ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* The box is ours to read from now on, whatever becomes of the worker. */
static int keep_box(struct worker *w, struct err *e)
{
	for (uint32_t i = 0; i < w->n_wants; i++)
		if (w->want[i].kind == WANT_BLACKBOX)
			return resource_reopen(w->grant[i], O_RDONLY, &w->box_fd, e) < 0
				       ? -1
				       : blackbox_map_reader(w->box_fd, &w->box, e);
	return err_set(e, INTERNAL, "no black box was granted");
}

void worker_grant(struct worker *w, int *take_fds)
{
	struct err e;

	w->grant = take_fds;
	w->phase = WORKER_ASSEMBLES;
	if (keep_box(w, &e) < 0)
		worker_fence(w, CAUSE_START_FAILED, &e);
	else
		send_grants(w);
}

static int on_link(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct worker *w = arg;

	(void)s;
	(void)fd;
	if (events & EPOLLOUT && w->grant)
		send_grants(w);
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && dialogue_read(w) < 0)
		w->link_source = sd_event_source_disable_unref(w->link_source);
	if ((!w->link_source || w->phase == WORKER_SAID_END) && !w->linger)
		timer_set(w->d->loop, &w->linger, LINGER_MS, on_linger, w);
	return 0;
}

void worker_sane(struct msg_ended *m)
{
	m->detail[sizeof m->detail - 1] = '\0';
	str_printable(m->detail, strlen(m->detail));
	err_sane(&m->err);
	str_printable(m->err.msg, strlen(m->err.msg));
	for (unsigned i = 0; i < m->err.n_frames; i++) {
		str_printable(m->err.frame[i].where, strlen(m->err.frame[i].where));
		str_printable(m->err.frame[i].note, strlen(m->err.frame[i].note));
	}
}

/* Its own account: the message, else what the black box holds. */
static void hear_out(struct worker *w)
{
	struct blackbox_end end;

	if (!w->has_said && w->box.box && blackbox_read_end(&w->box, &end)) {
		w->has_said = true;
		w->said = (struct msg_ended){
			.cause = end.cause, .exit_code = end.exit_code, .err = end.err};
		memcpy(w->said.detail, end.detail, sizeof w->said.detail);
	}
	if (w->has_said)
		worker_sane(&w->said);
}

static void judge(struct worker *w, int code, int status, bool is_out_of_memory)
{
	struct ending_evidence ev = {
		.code = code,
		.status = status,
		.fenced = w->fenced,
		.cut = w->cut,
		.is_out_of_memory = is_out_of_memory,
		.is_invalid = w->phase == WORKER_REFUSES,
		.has_said = w->has_said,
		.said_cause = w->said.cause,
		.said_exit = w->said.exit_code,
		.was_alone = w->was_adopted,
		.forbidden = w->box.box ? atomic_load(&w->box.box->forbidden) - 1 : -1,
	};

	w->ending = ending_judge(&ev);
	/* Its words count only where its claim was believed. */
	if (w->has_said && (code == CLD_EXITED || code == 0) && w->ending.cause == w->said.cause) {
		str_copy(w->detail, sizeof w->detail, w->said.detail);
		if (!w->why.code)
			w->why = w->said.err;
	}
}

static int on_process(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct worker *w = arg;
	bool is_out_of_memory;
	int code, status;

	(void)s;
	(void)fd;
	(void)events;
	worker_notice(w);
	/* What it sent before it died is still in the link: one bounded look. */
	if (w->link_source)
		for (int i = 0; i < LAST_BURSTS && dialogue_read(w) == 1; i++)
			;
	w->process_source = sd_event_source_disable_unref(w->process_source);
	w->link_source = sd_event_source_disable_unref(w->link_source);
	timer_clear(&w->linger);
	process_reap(&w->process, &code, &status);
	is_out_of_memory = confine_end(w);
	w->is_reaped = true;
	hear_out(w);
	judge(w, code, status, is_out_of_memory);
	close_grants(w);
	if (opening_end(w))
		w->owner->ended(w, w->arg); /* frees it */
	return 0;
}

void worker_opening_gone(struct worker *w)
{
	w->owner->ended(w, w->arg); /* frees it */
}

static int spawn_process(struct worker *w, const struct worker_spec *s, uint64_t flags,
			 struct err *e)
{
	static char name[] = "qvm", role[] = "--supervised";
	char *const argv[] = {name, role, NULL};
	char program[CONFIG_PROGRAM];
	struct hostports ports[CONFIG_ALLOWS];
	unsigned n_ports = s->has_ports ? allow_ports_of(&w->d->config, w->vm, ports) : 0;
	struct err none = {0};
	AUTO_FD int cgroup = -1;
	AUTO_FD int vdevs = config_open_vdevs(&w->d->config, &none);
	int link[2], words[2];
	int r;

	if (pipe2(words, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, RESOURCE, "make a pipe for the words of a worker");
	w->words = words[0];
	AUTO_FD int its_words = words[1];
	fcntl(its_words, F_SETPIPE_SZ, WORDS_BYTES);
	if (wire_pair(link, e) < 0)
		return -1;
	w->link = link[0];
	AUTO_FD int its_link = link[1];
	/* Checked at the start: since then somebody has touched it. VMs without such vdevs go on. */
	if (vdevs < 0 && none.code) {
		const struct log_about about = {.vm = w->vm, .err = &none};

		log_warn(&about, "no vdevs of this host: %s", none.msg);
	}
	if (confine_begin(w, s->policy, &cgroup, e) < 0)
		return -1;
	r = process_spawn(
		&(struct process_spec){.program = config_program(&w->d->config, name, program),
				       .argv = argv,
				       .fd = (const int[]){its_link, vdevs},
				       .n_fds = vdevs >= 0 ? 2 : 1, /* fd 3 and 4 */
				       .words = its_words,
				       .namespaces = flags,
				       .limit = w->home.rlimit,
				       .n_limits = w->home.n_rlimits,
				       .ports = ports,
				       .n_ports = n_ports,
				       .cgroup = cgroup},
		&w->process, e);
	if (r < 0)
		confine_end(w);
	return r;
}

static struct worker *make(struct daemon *d, const char *vm, const char *cgroup,
			   const struct worker_owner *owner, void *arg)
{
	struct worker *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	w->d = d;
	w->owner = owner;
	w->arg = arg;
	w->link = w->words = w->box_fd = w->process.fd = w->home.events = -1;
	str_copy(w->vm, sizeof w->vm, vm);
	str_copy(w->cgroup, sizeof w->cgroup, cgroup);
	return w;
}

static void listen_to(struct worker *w)
{
	if (w->link >= 0 && !w->is_foreign &&
	    sd_event_add_io(w->d->loop, &w->link_source, w->link, EPOLLIN, on_link, w) < 0)
		abort(); /* out of memory: crash-only */
	if (sd_event_add_io(w->d->loop, &w->process_source, w->process.fd, EPOLLIN, on_process, w) <
	    0)
		abort();
	/* A death is seen before anything else of the same round. */
	sd_event_source_set_priority(w->process_source, SD_EVENT_PRIORITY_IMPORTANT);
}

int worker_spawn(struct daemon *d, const struct worker_spec *s, struct worker **ret, struct err *e)
{
	struct worker *w = make(d, s->vm, s->cgroup, s->owner, s->arg);
	struct msg_config m = {.heartbeat_ms = s->heartbeat_ms,
			       .ends_with_link = s->ends_with_link,
			       .uid = geteuid() == 0 ? s->uid : 0,
			       .freezes = s->freezes,
			       .bytes = (uint32_t)s->bytes};
	uint64_t flags = namespaces_of(&m.made);
	AUTO_FD int text = -1;

	w->freezes = s->freezes;
	w->is_held_back = s->is_held_back;
	w->finding = calloc(DIAGNOSTIC_MOST, sizeof *w->finding);
	w->want = calloc(MESSAGE_WANTS_MAX, sizeof *w->want);
	if (!w->finding || !w->want)
		abort();
	str_copy(m.vm, sizeof m.vm, s->vm);
	str_copy(m.folder, sizeof m.folder, s->folder);
	str_copy(m.clusters, sizeof m.clusters, d->config.clusters);
	str_copy(m.partitions, sizeof m.partitions, d->config.partitions);
	text = sealed_text("qvm-config", s->config, s->bytes);
	if (text < 0) {
		err_sys(e, RESOURCE, "hold the configuration of '%s' in memory", s->vm);
		worker_free(w);
		return -1;
	}
	if (spawn_process(w, s, flags, e) < 0) {
		worker_free(w);
		return -1;
	}
	listen_to(w);
	/* A closed link means that it has ended already: its pidfd tells how. */
	if (wire_send(w->link, &message_table, MESSAGE_CONFIG, 0, &m, &text, 1, e) < 0 &&
	    e->code != ERR_WORKER)
		worker_fence(w, CAUSE_START_FAILED, e);
	*ret = w;
	return 0;
}

struct worker *worker_adopt(struct daemon *d, const struct worker_legacy *take)
{
	struct worker *w = make(d, take->vm, take->cgroup, take->owner, take->arg);
	struct err e;

	w->process = take->process;
	w->link = take->link;
	w->words = take->words;
	w->box_fd = take->box_fd;
	w->plan = take->plan;
	w->sandbox = take->sandbox;
	w->is_foreign = take->is_foreign;
	w->was_adopted = true;
	w->holders = take->holders;
	w->is_frozen = take->holders & WORKER_HOLD_FAULT;
	w->freezes = take->freezes;
	w->is_held_back = take->is_held_back;
	confine_adopt(w, take->home);
	w->phase = take->runs ? WORKER_RUNS : WORKER_ENTERS;
	if (w->box_fd >= 0 && blackbox_map_reader(w->box_fd, &w->box, &e) < 0)
		log_warn((&(struct log_about){.vm = w->vm, .err = &e}), "its black box is lost: %s",
			 e.msg);
	w->typed = w->box.box ? atomic_load(&w->box.box->typed) : 0;
	w->is_adopting = !w->is_foreign;
	listen_to(w);
	tell(w, MESSAGE_ADOPT, &(struct msg_empty){0});
	return w;
}

void worker_words(struct worker *w, char *ret, size_t cap)
{
	ssize_t n = w->words >= 0 ? read(w->words, ret, cap - 1) : 0;

	ret[n > 0 ? n : 0] = '\0';
	str_printable(ret, n > 0 ? (size_t)n : 0);
}

struct worker *worker_free(struct worker *w)
{
	if (!w)
		return NULL;
	sd_event_source_disable_unref(w->link_source);
	sd_event_source_disable_unref(w->process_source);
	timer_clear(&w->linger);
	close_grants(w);
	opening_free(w);
	late_free(&w->late);
	free(w->finding);
	free(w->want);
	blackbox_unmap(&w->box);
	for (size_t i = 0; i < 4; i++) {
		int fd = (int[]){w->link, w->words, w->box_fd, w->process.fd}[i];

		if (fd >= 0)
			close(fd);
	}
	free(w);
	return NULL;
}
