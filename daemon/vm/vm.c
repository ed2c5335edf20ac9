/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vm/vm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/timer.h"
#include "daemon/vm/dump.h"
#include "daemon/worker/worker.h"

/* The place of a name: its member, or where it belongs. */
static size_t place(const struct vm_set *s, const char *name)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(s->vm[middle]->row.name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct vm *vm_find(const struct vm_set *s, const char *name)
{
	size_t i = place(s, name);

	return i < s->n && !strcmp(s->vm[i]->row.name, name) ? s->vm[i] : NULL;
}

struct vm *vm_add(struct vm_set *s, struct daemon *d, const struct record *row)
{
	struct vm *v = calloc(1, sizeof *v);
	size_t i = place(s, row->name);

	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 16;
		s->vm = reallocarray(s->vm, s->room, sizeof(struct vm *));
	}
	if (!v || !s->vm)
		abort();
	memmove(s->vm + i + 1, s->vm + i, (s->n - i) * sizeof(struct vm *));
	s->vm[i] = v;
	s->n++;
	v->d = d;
	v->row = *row;
	v->policy = v->running = policy_default();
	v->box_fd = -1;
	v->source = dumpsource_none();
	return v;
}

static void vm_free(struct vm *v)
{
	timer_clear(&v->deadline);
	timer_clear(&v->restart);
	timer_clear(&v->prepare);
	dump_cancel(v);
	v->worker = worker_free(v->worker); /* which runs on, if we leave it */
	dumpsource_forget(&v->source);
	if (v->box_fd >= 0)
		close(v->box_fd);
	free(v);
}

void vm_remove(struct vm_set *s, struct vm *v)
{
	size_t i = place(s, v->row.name);

	memmove(s->vm + i, s->vm + i + 1, (s->n - i - 1) * sizeof(struct vm *));
	s->n--;
	vm_free(v);
}

void vm_clear(struct vm_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		vm_free(s->vm[i]);
	free(s->vm);
	*s = (struct vm_set){0};
}

uint32_t vm_uid(const struct vm *v)
{
	/* Below those of the VMs: qvm-api and the checks. */
	enum { RESERVED = 16 };

	return v->d->config.uid_base + RESERVED + (uint32_t)(v->row.id % RECORD_UIDS);
}

int vm_must_be_fenced(const struct vm *v, struct err *e)
{
	if (!v->is_unfenced)
		return 0;
	return err_set(e, CONFLICT,
		       "an earlier worker of '%s', process %" PRId64
		       ", could not be ended: end it, then start qvmd anew",
		       v->row.name, v->row.pid);
}

int vm_must_be_thawed(const struct vm *v, struct err *e)
{
	if (!v->worker)
		return 0;
	return err_set(e, CONFLICT,
		       "the worker of '%s', process %" PRId64
		       ", is kept to be looked at: `qvmadm release %s` first",
		       v->row.name, v->row.pid, v->row.name);
}

bool vm_rests(const struct vm *v)
{
	return v->row.observed == OBSERVED_STOPPED || v->row.observed == OBSERVED_SAFE;
}

void vm_observe(struct record *r, enum observed to, const char *boot)
{
	if (r->observed != to) {
		r->since_ms = clock_wall_ms();
		str_copy(r->boot, sizeof r->boot, boot);
	}
	r->observed = to;
}
