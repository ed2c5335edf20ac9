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

static struct done done_of(const struct call *c)
{
	struct done x = {.op = (enum op_id)c->m.op,
			 .request = c->request,
			 .name = c->m.vm,
			 .caller = c->m.caller};

	if (c->text && c->m.op == OP_vm_put)
		digest_hex(c->text, c->bytes, x.digest);
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

static bool was_typed(const struct call *c)
{
	const struct frontdoor *f = &c->d->door;

	for (size_t i = 0; i < NELEMS(f->typed.request); i++)
		if (f->typed.request[i] == c->request)
			return true;
	return false;
}

void again_typed(const struct call *c)
{
	struct frontdoor *f = &c->d->door;

	f->typed.request[f->typed.n++ % NELEMS(f->typed.request)] = c->request;
}

bool again_answered(struct call *c)
{
	struct msg_answer a = {0};
	struct err e;
	int r;

	/* None needs the database: they change nothing, or lead out when it is lost. */
	if (c->m.op == OP_check || c->m.op == OP_host_release || op_table[c->m.op].method == OP_GET)
		return false;
	if (c->m.op == OP_vm_type) {
		if (!was_typed(c))
			return false;
		call_answer(c, &a);
		return true;
	}
	r = find_operation(c, &a, &e);
	if (r == 0)
		r = find_done(c, &a, &e);
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
