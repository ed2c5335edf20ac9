/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/conf.h"

#include <stdlib.h>

#include "base/auto.h"
#include "vmm/conf/cpus.h"
#include "vmm/conf/demand.h"
#include "vmm/conf/hosting.h"
#include "vmm/conf/lex.h"
#include "vmm/conf/loading.h"
#include "vmm/conf/overlap.h"
#include "vmm/conf/parse.h"
#include "vmm/conf/sharing.h"
#include "vmm/conf/slots.h"
#include "vmm/conf/wiring.h"
#include "vmm/vdev/vdev.h"

/* Implicit vdevs are on every board; those that were not named come last. */
static void add_implicit(struct draft *d, struct findings *f)
{
	unsigned state = 0;
	struct mark nowhere = {0};
	bool has_pci = false;

	for (unsigned i = 0; i < d->n_vdevs; i++)
		has_pci |= d->vdev[i].vdev && vdev_is_function(d->vdev[i].vdev);

	for (const struct vdev_class *c; (c = vdev_class_next(&state));) {
		struct draft_vdev *v;
		unsigned i = 0;

		if (!c->is_implicit || (c->only_with_pci && !has_pci))
			continue;
		while (i < d->n_vdevs && !(d->vdev[i].vdev && d->vdev[i].vdev->class == c))
			i++;
		if (i < d->n_vdevs)
			continue;
		v = draft_add_vdev(d, f, &nowhere);
		if (v)
			v->vdev = vdev_new(c, 0);
	}
}

/* The error in one sentence: the count, and the first of them. */
static void fail(const struct findings *f, struct err *e)
{
	const struct diagnostic *d = finding_first_error(f);

	if (!d)
		err_set(e, CONFIG, "the configuration has %u errors", f->n_errors);
	else
		err_set(e, CONFIG,
			"the configuration has %u error%s, the first in line %u of %s: %s",
			f->n_errors, f->n_errors == 1 ? "" : "s", d->line, d->file, d->what);
}

int conf_read(const struct conf_source *s, struct board **ret_board, unsigned *ret_errors,
	      unsigned *ret_warnings, struct err *e)
{
	struct lex lex;
	struct findings findings;
	struct draft draft;
	struct parse parse;
	struct board *board = NULL;
	unsigned n_wrong;

	lex_open(&lex, s);
	finding_open(&findings, lex.page, lex.n_pages);
	draft_open(&draft);

	lex_read(&lex, s, &findings);
	parse = (struct parse){.source = s, .lex = &lex, .findings = &findings, .draft = &draft};
	parse_run(&parse);
	slots_assign(&draft, &findings);
	add_implicit(&draft, &findings);
	cpus_check(&draft, &findings);
	loading_check(&draft, s, &findings);
	wiring_check(&draft, s, &findings);
	demand_check(&draft, &findings);
	overlap_check(&draft, &findings);
	sharing_check(&draft, NULL, &findings);
	n_wrong = findings.n_errors;
	if (n_wrong == 0 && draft.board->dryrun && s->probe) {
		sharing_check(&draft, s->probe->is_same, &findings);
		hosting_check(&draft, s, &lex, &findings);
	}

	if (findings.n_errors == 0)
		board = draft_finish(&draft);
	if (board && board->dryrun && s->probe)
		hosting_rehearse(board, &draft, s, &lex, &findings);

	finding_report(&findings, s->report, s->report_arg);
	*ret_errors = findings.n_errors;
	*ret_warnings = findings.n_warnings;
	if (findings.n_errors)
		fail(&findings, e);
	else
		*ret_board = TAKE(board);
	board_free(board);
	if (findings.n_errors && n_wrong == 0)
		e->code = ERR_RESOURCE;
	draft_close(&draft);
	lex_close(&lex);
	finding_close(&findings);
	return *ret_errors ? -1 : 0;
}
