/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/hosting.h"

#include <limits.h>
#include <string.h>

#include "schemas/message.h"
#include "vmm/conf/draft.h"
#include "vmm/conf/lex.h"
#include "vmm/conf/option.h"
#include "vmm/vdev/hostdev.h"

struct asking {
	const struct draft *draft;
	const struct conf_source *source;
	const struct lex *lex;
	struct findings *findings;
};

/* Where the tail of the path that the user has written stands in a word; false = it does not. */
static bool find_path(const struct token *t, const char *path, struct mark *ret)
{
	for (const char *tail = path; tail && *tail;) {
		const char *at = strstr(t->text, tail);

		if (at) {
			*ret = lex_mark(t, (size_t)(at - t->text), strlen(tail));
			return true;
		}
		tail = strchr(tail, '/');
		tail += tail != NULL;
	}
	return false;
}

/* The next part of the board that begins behind this one, as the index of its word. */
static unsigned next_part(const struct draft *d, unsigned order)
{
	unsigned next = UINT_MAX;

	for (unsigned i = 0; i < d->n_vdevs; i++)
		if (d->vdev[i].at.line && d->vdev[i].at.order > order && d->vdev[i].at.order < next)
			next = d->vdev[i].at.order;
	return next;
}

/* The word that names the path, from that of `at` up to word `end`; else `at`. */
static struct mark place_of(const struct asking *a, const struct mark *at, unsigned end,
			    const char *path)
{
	struct mark found = *at;

	for (unsigned i = at->order; at->line && i < a->lex->n_tokens && i < end; i++) {
		const struct token *t = &a->lex->token[i];

		if (t->at.part != at->part || find_path(t, path, &found))
			break;
	}
	return found;
}

static void report(const struct asking *a, const struct mark *at, const struct err *e)
{
	finding_hint(finding_error(a->findings, at, "%s", e->msg),
		     "a start would end so; `qvm --no-host ...` leaves this host out of the check");
}

static void ask_memory(const struct asking *a, const struct draft_load *l, uint64_t *ret_room)
{
	uint64_t room = 0, all = 0;

	for (unsigned i = 0; i < a->draft->n_memory; i++) {
		const struct board_memory *m = &a->draft->memory[i].range;

		all += m->bytes;
		if (l->load.gpa - m->gpa < m->bytes)
			room = m->bytes - (l->load.gpa - m->gpa);
	}
	/* Without an address a file of many sections may be larger than what is loaded of it. */
	*ret_room = l->load.has_gpa ? room : l->load.type == BOARD_IMAGE_INITRD ? all : UINT64_MAX;
}

static void ask_load(const struct asking *a, const struct draft_load *l)
{
	struct mark at = place_of(a, &l->at, l->at.order + 1, l->load.path);
	uint64_t room;
	struct err e;

	ask_memory(a, l, &room);
	if (a->source->probe->want(WANT_IMAGE, l->load.path, room, &e) < 0)
		report(a, &at, &e);
}

static void ask_vdev(const struct asking *a, const struct draft_vdev *v)
{
	const struct vdev *d = v->vdev;
	struct mark at;
	struct err e;

	if (d->hostdev && d->hostdev->delayed_s)
		return; /* it may come later */
	for (unsigned w = 0; w < d->n_wants; w++) {
		if (!strcmp(d->want[w].path, "-") ||
		    a->source->probe->want(d->want[w].kind, d->want[w].path, UINT64_MAX, &e) == 0)
			continue;
		at = place_of(a, &v->at, next_part(a->draft, v->at.order), d->want[w].path);
		report(a, &at, &e);
	}
}

void hosting_check(const struct draft *d, const struct conf_source *s, const struct lex *l,
		   struct findings *f)
{
	const struct asking a = {.draft = d, .source = s, .lex = l, .findings = f};
	const struct mark nowhere = {0};
	struct err e;

	/* Without any `cpu` there will be one. */
	if (s->probe->want(WANT_KVM, "/dev/kvm", d->board->n_cpus ? d->board->n_cpus : 1, &e) < 0)
		report(&a, &nowhere, &e);
	for (unsigned i = 0; i < d->board->n_cpus; i++)
		if (s->probe->cpu(&d->board->cpu[i], i, &e) < 0)
			report(&a, &nowhere, &e);
	for (unsigned i = 0; i < d->n_loads; i++)
		ask_load(&a, &d->load[i]);
	for (unsigned i = 0; i < d->n_vdevs; i++)
		if (d->vdev[i].vdev)
			ask_vdev(&a, &d->vdev[i]);
	if (d->board->dump[0] && d->board->dump[0] != '|' &&
	    s->probe->folder(d->board->dump, &e) < 0)
		report(&a, &d->dump_at, &e);
}

void hosting_rehearse(struct board *b, const struct draft *d, const struct conf_source *s,
		      const struct lex *l, struct findings *f)
{
	const struct asking a = {.draft = d, .source = s, .lex = l, .findings = f};
	struct mark at = {0};
	unsigned wrong = b->n_loads;
	struct err e;

	if (s->probe->images(b, &wrong, &e) == 0)
		return;
	if (wrong < d->n_loads)
		at = place_of(&a, &d->load[wrong].at, d->load[wrong].at.order + 1,
			      b->load[wrong].path);
	report(&a, &at, &e);
}
