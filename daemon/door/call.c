/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/door/call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/door/again.h"
#include "daemon/vm/dump.h"
#include "daemon/vm/life.h"
#include "daemon/vm/pair.h"
#include "daemon/store/audit.h"
#include "daemon/store/operation.h"
#include "daemon/worker/worker.h"
#include "schemas/absent.h"
#include "schemas/op.h"

typedef void handler(struct call *take);

enum { TYPING_MS = 60000 };

static handler *const handlers[OP_COUNT] = {
#define OP_HANDLER_VIEW(id) NULL
#define OP_HANDLER_CALL(id) call_##id
#define OP(id, kind, method, path, role, in, out, status, cli, summary)                            \
	[OP_##id] = OP_HANDLER_##kind(id),
#include "schemas/ops.def"
#undef OP
};

void call_drop(struct call *c)
{
	free(c->text);
	free(c);
}

/* Whoever types is on record once a minute, not with every key. */
static bool is_noted(struct call *c)
{
	struct frontdoor *f = &c->d->door;
	uint64_t now_ms = clock_mono_ms();
	bool is_same = f->typist.uid == c->m.caller.uid && !strcmp(f->typist.vm, c->m.vm) &&
		       now_ms < f->typist.at_ms + TYPING_MS;

	if (c->m.op != OP_vm_type)
		return c->m.op == OP_check || c->m.op == OP_dump_list;
	if (!is_same) {
		f->typist.uid = c->m.caller.uid;
		f->typist.at_ms = now_ms;
		str_copy(f->typist.vm, sizeof f->typist.vm, c->m.vm);
	}
	return is_same;
}

static void note(struct call *c, const struct msg_answer *a)
{
	struct audit x = {.at_ms = clock_wall_ms(),
			  .op = (enum op_id)c->m.op,
			  .request = c->request,
			  .caller = c->m.caller,
			  .operation = (int64_t)a->operation,
			  .revision = a->revision,
			  .err = a->err};

	str_copy(x.vm, sizeof x.vm, c->m.vm);
	ledger_audit(c->d, &x);
}

void call_answer(struct call *c, const struct msg_answer *a)
{
	if (c->is_sound && !is_noted(c))
		note(c, a);
	frontdoor_answer(c->d, c->visit, MESSAGE_ANSWER, c->request, a);
	call_drop(c);
}

void call_refuse(struct call *c, const struct err *e)
{
	struct msg_answer a = {.err = *e};

	call_answer(c, &a);
}

static int check_message(const struct msg_call *m, struct err *e)
{
	if (m->op >= OP_COUNT || !handlers[m->op])
		return err_set(e, PROTOCOL, "CALL of operation %u", m->op);
	if (!str_is_terminated(m->vm, sizeof m->vm) ||
	    !str_is_terminated(m->folder, sizeof m->folder) ||
	    !str_is_terminated(m->dump, sizeof m->dump) || (m->folder[0] && m->folder[0] != '/') ||
	    m->n_input > MESSAGE_INPUT_MAX || m->caller.role >= ROLE_COUNT ||
	    !str_is_terminated(m->caller.identity, sizeof m->caller.identity))
		return err_set(e, PROTOCOL, "CALL of %s with a field out of bounds",
			       op_table[m->op].id);
	if (!name_is_valid(m->vm) && (strchr(op_table[m->op].path, '{') || m->vm[0]))
		return err_set(e, INVALID, "'%s' is no name: use %s", m->vm, NAME_PATTERN);
	if (strstr(op_table[m->op].path, "{dump}") && !dumpfile_is_of(m->dump, m->vm))
		return err_set(e, INVALID, "'%s' is no name of a dump of '%s'", m->dump, m->vm);
	/* The API decides roles; that it did is checked once more where it counts. */
	if (m->caller.role < op_table[m->op].role)
		return err_set(e, DENIED, "%s needs the role %s, uid %u has %s", op_table[m->op].id,
			       role_id(op_table[m->op].role), m->caller.uid,
			       role_id(m->caller.role));
	return m->policy_fields ? policy_check(&m->policy, e) : 0;
}

/* Only a sealed memfd is read: nothing else is sure not to make us wait, or to change. */
static int take_text(struct call *c, int fd, struct err *e)
{
	const int sealed = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	size_t done = 0;

	if (seals < 0 || (seals & sealed) != sealed || fstat(fd, &st) < 0)
		return err_set(e, PROTOCOL, "a configuration that is not in a sealed memfd");
	if (st.st_size > MESSAGE_CONFIG_MAX)
		return err_set(e, TOO_LARGE, "the configuration has %lld bytes, at most %d go",
			       (long long)st.st_size, MESSAGE_CONFIG_MAX);
	c->bytes = (size_t)st.st_size;
	c->text = malloc(c->bytes + 1);
	if (!c->text)
		abort();
	while (done < c->bytes) {
		ssize_t n = pread(fd, c->text + done, c->bytes - done, (off_t)done);

		if (n <= 0)
			return err_sys(e, INTERNAL, "read a configuration");
		done += (size_t)n;
	}
	c->text[c->bytes] = '\0';
	if (memchr(c->text, '\0', c->bytes))
		return err_set(e, INVALID,
			       "the configuration contains a NUL byte: send plain text");
	return 0;
}

static void run(struct call *c)
{
	again_mark(c);
	if (!again_answered(c))
		handlers[c->m.op](c);
}

void call_run(struct daemon *d, uint64_t request, const struct msg_call *m, int text_fd)
{
	struct call *c = calloc(1, sizeof *c);
	struct err e;

	if (!c)
		abort();
	c->d = d;
	c->request = request;
	c->visit = d->door.visit;
	c->m = *m;
	c->is_sound = check_message(m, &e) == 0;
	if (!c->is_sound || (text_fd >= 0 && take_text(c, text_fd, &e) < 0))
		call_refuse(c, &e);
	else if (d->is_ending)
		call_refuse(c, (err_set(&e, UNAVAILABLE, "the supervisor is ending"), &e));
	else
		run(c);
}

static struct vm *find(struct call *c, struct err *e)
{
	struct vm *v = vm_find(&c->d->vms, c->m.vm);

	if (!v)
		absent_vm(c->m.vm, e);
	return v;
}

static void command(struct call *c, enum vm_event verb)
{
	struct operation o = {
		.op = (enum op_id)c->m.op, .request = c->request, .caller = c->m.caller};
	struct msg_answer a = {0};
	struct err e;
	struct vm *v = find(c, &e);
	int64_t id;

	if (!v || life_command(c->d, v, verb, &o, &id, &e) < 0) {
		call_refuse(c, &e);
		return;
	}
	a.operation = (uint64_t)id;
	a.revision = v->row.revision;
	call_answer(c, &a);
}

void call_vm_start(struct call *c)
{
	command(c, VM_EVENT_START);
}

void call_vm_stop(struct call *c)
{
	command(c, VM_EVENT_STOP);
}

void call_vm_kill(struct call *c)
{
	command(c, VM_EVENT_KILL);
}

void call_vm_release(struct call *c)
{
	command(c, VM_EVENT_RELEASE);
}

void call_host_release(struct call *c)
{
	struct err e;

	if (hostsafe_release(c->d, c->request, &e) < 0)
		call_refuse(c, &e);
	else
		call_answer(c, &(struct msg_answer){0});
}

void call_vm_pause(struct call *c)
{
	command(c, VM_EVENT_PAUSE);
}

void call_vm_resume(struct call *c)
{
	command(c, VM_EVENT_RESUME);
}

void call_vm_button(struct call *c)
{
	command(c, VM_EVENT_BUTTON);
}

void call_vm_nmi(struct call *c)
{
	command(c, VM_EVENT_NMI);
}

void call_vm_reset_budget(struct call *c)
{
	command(c, VM_EVENT_RESET_BUDGET);
}

static void change_roles(struct call *c, int (*verb)(struct daemon *d, struct vm *primary,
						     const struct operation *o,
						     int64_t *ret_operation, struct err *e))
{
	struct operation o = {
		.op = (enum op_id)c->m.op, .request = c->request, .caller = c->m.caller};
	struct err e;
	struct vm *v = find(c, &e);
	int64_t id;

	if (!v || verb(c->d, v, &o, &id, &e) < 0)
		call_refuse(c, &e);
	else
		call_answer(c, &(struct msg_answer){.operation = (uint64_t)id,
						    .revision = v->row.revision});
}

void call_vm_takeover(struct call *c)
{
	change_roles(c, pair_take_over);
}

void call_vm_give_back(struct call *c)
{
	change_roles(c, pair_give_back);
}

/* It changes no column: intent is the operation alone. */
void call_vm_dump(struct call *c)
{
	struct operation o = {.op = OP_vm_dump, .request = c->request, .caller = c->m.caller};
	struct err e;
	struct vm *v = find(c, &e);
	int64_t id;

	if (!v || !lifecycle_find(v->row.observed, VM_EVENT_DUMP, &e) || dump_check(v, &e) < 0 ||
	    ledger_begin(c->d, &e) < 0) {
		call_refuse(c, &e);
		return;
	}
	if (operation_insert(&c->d->store, &o, v->row.name, OPERATION_RUNNING, "", &id, &e) < 0) {
		ledger_abort(c->d);
		call_refuse(c, &e);
		return;
	}
	if (ledger_commit(c->d, &e) < 0) {
		call_refuse(c, &e);
		return;
	}
	call_answer(c,
		    &(struct msg_answer){.operation = (uint64_t)id, .revision = v->row.revision});
	dump_begin(v, o.request, id);
}

void call_vm_type(struct call *c)
{
	struct msg_input in = {.n = c->m.n_input};
	struct err e;
	struct vm *v = find(c, &e);

	memcpy(in.bytes, c->m.input, in.n);
	if (!v || !lifecycle_find(v->row.observed, VM_EVENT_TYPE, &e) ||
	    worker_input(v->worker, &in, &e) < 0) {
		call_refuse(c, &e);
		return;
	}
	again_typed(c);
	call_answer(c, &(struct msg_answer){.revision = v->row.revision});
}
