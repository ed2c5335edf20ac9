/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/door/again.h"

#include <inttypes.h>
#include <string.h>

#include "base/auto.h"
#include "daemon/daemon.h"
#include "daemon/door/call.h"
#include "daemon/store/done.h"
#include "daemon/store/operation.h"
#include "schemas/op.h"

/* None needs the database: they change nothing, or lead out when it is lost. */
static bool is_always_new(enum op_id op)
{
	return op == OP_check || op == OP_host_release || op_table[op].method == OP_GET;
}

/* All that tells one call from another of the same operation and name. If-Match does not: who asks
 * again may have read the VM anew in between. It is hashed by its bytes, zeroed whole before. */
struct asked {
	int64_t revision;
	uint64_t policy_fields;
	struct policy policy; /* the fields that are meant; the others are zero */
	struct msg_token token;
	char dump[DUMPFILE_NAME], folder[MESSAGE_PATH];
	char text[DIGEST_HEX]; /* digest of the configuration, or of what is typed */
};

void again_mark(struct call *c)
{
	const struct msg_call *m = &c->m;
	struct asked x;

	if (is_always_new((enum op_id)m->op))
		return;
	memset(&x, 0, sizeof x);
	x.revision = m->revision;
	x.policy_fields = m->policy_fields;
	policy_take(&x.policy, &m->policy, m->policy_fields);
	x.token = m->token;
	memcpy(x.dump, m->dump, sizeof x.dump);
	memcpy(x.folder, m->folder, sizeof x.folder);
	if (c->text)
		digest_hex(c->text, c->bytes, x.text);
	else if (m->op == OP_vm_type)
		digest_hex(m->input, m->n_input, x.text);
	digest_hex(&x, sizeof x, c->asks);
}

static struct done done_of(const struct call *c)
{
	struct done x = {.op = (enum op_id)c->m.op,
			 .request = c->request,
			 .name = c->m.vm,
			 .caller = c->m.caller};

	memcpy(x.digest, c->asks, sizeof x.digest);
	return x;
}

/* 1 = it has, with its answer; 0 = it is new. */
static int find_operation(const struct call *c, struct msg_answer *ret, struct err *e)
{
	const struct operation o = {
		.op = (enum op_id)c->m.op, .request = c->request, .caller = c->m.caller};
	const struct vm *v = vm_find(&c->d->vms, c->m.vm);
	int64_t id;
	int r = operation_again(&c->d->store, &o, c->m.vm, &id, e);

	if (r > 0)
		*ret = (struct msg_answer){.operation = (uint64_t)id,
					   .revision = v ? v->row.revision : 0};
	return r;
}

static int find_done(const struct call *c, struct msg_answer *ret, struct err *e)
{
	struct done x = done_of(c);
	int r = done_before(&c->d->store, &x, e);

	if (r <= 0)
		return r;
	/* Its answer shows the VM. */
	if (!strcmp(op_table[x.op].out, "vm") && !vm_find(&c->d->vms, x.name))
		return err_set(e, CONFLICT,
			       "this request made revision %" PRId64
			       " of '%s', which has been deleted since",
			       x.revision, x.name);
	*ret = (struct msg_answer){.revision = x.revision, .created = x.is_new};
	return 1;
}

static int find_typed(const struct call *c, struct err *e)
{
	const struct frontdoor *f = &c->d->door;

	for (size_t i = 0; i < NELEMS(f->typed.by); i++) {
		if (f->typed.by[i].request != c->request)
			continue;
		if (!strcmp(f->typed.by[i].asks, c->asks))
			return 1;
		return err_set(e, CONFLICT,
			       "the Request-Id %016" PRIx64
			       " belongs to what was typed before; a new request needs a new one",
			       c->request);
	}
	return 0;
}

static int find(const struct call *c, struct msg_answer *ret, struct err *e)
{
	int r;

	if (c->m.op == OP_vm_type)
		return find_typed(c, e);
	r = find_operation(c, ret, e);
	return r == 0 ? find_done(c, ret, e) : r;
}

void again_typed(const struct call *c)
{
	struct frontdoor *f = &c->d->door;

	size_t i = f->typed.n++ % NELEMS(f->typed.by);

	f->typed.by[i].request = c->request;
	memcpy(f->typed.by[i].asks, c->asks, sizeof c->asks);
}

bool again_answered(struct call *c)
{
	struct msg_answer a = {0};
	struct err e;
	int r;

	if (is_always_new((enum op_id)c->m.op))
		return false;
	r = find(c, &a, &e);
	if (r == 0)
		return false;
	if (r < 0)
		call_refuse(c, &e);
	else if (c->m.op == OP_token_create)
		call_token_again(c);
	else
		call_answer(c, &a);
	return true;
}

int again_note(const struct call *c, int64_t revision, bool is_new, struct err *e)
{
	struct done x = done_of(c);

	x.revision = revision;
	x.is_new = is_new;
	return done_insert(&c->d->store, &x, e);
}
