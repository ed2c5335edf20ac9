/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/loading.h"

#include <inttypes.h>

#include "base/str.h"
#include "vmm/conf/draft.h"
#include "vmm/conf/path.h"

static const struct draft_memory *memory_at(const struct draft *d, uint64_t gpa)
{
	for (unsigned i = 0; i < d->n_memory; i++)
		if (gpa - d->memory[i].range.gpa < d->memory[i].range.bytes)
			return &d->memory[i];
	return NULL;
}

/* "0x0-0x9ffff, 0x100000-0x3fffffff": some of the memory that is there. */
static void list(const struct draft *d, char *ret, size_t cap)
{
	char range[PLACE_RANGE];
	size_t len = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < d->n_memory && i < 4; i++)
		str_add(ret, cap, &len, "%s%s", i ? ", " : "",
			place_range(d->memory[i].range.gpa, d->memory[i].range.bytes, range));
	if (d->n_memory > 4)
		str_add(ret, cap, &len, " and %u more", d->n_memory - 4);
}

static void check_place(const struct draft *d, struct findings *f, const struct draft_load *l)
{
	const struct draft_memory *m = l->load.has_gpa ? memory_at(d, l->load.gpa)
				       : d->n_memory   ? d->memory
						       : NULL;
	char where[FINDING_WHERE], ranges[180];

	if (!m && !l->load.has_gpa)
		return; /* no memory at all: said once */
	if (!m) {
		list(d, ranges, sizeof ranges);
		finding_hint(
			finding_error(f, &l->at, "there is no memory at 0x%" PRIx64, l->load.gpa),
			d->n_memory ? "memory is at %s" : "put `ram` before it%s", ranges);
		return;
	}
	if (m->at.order > l->at.order)
		finding_hint(finding_error(f, &l->at, "the memory for it comes only later, in %s",
					   finding_where(f, &m->at, &l->at, where)),
			     "put `ram` and `rom` before the `load` that fills them");
}

static void check_twice(const struct draft *d, struct findings *f, unsigned i)
{
	const struct draft_load *l = &d->load[i];
	char where[FINDING_WHERE];

	for (unsigned j = 0; l->load.has_gpa && j < i; j++) {
		const struct draft_load *o = &d->load[j];

		if (!o->load.has_gpa || o->load.gpa != l->load.gpa)
			continue;
		finding_hint(finding_error(f, &l->at,
					   "0x%" PRIx64 " is already filled by the `load` of %s",
					   l->load.gpa, finding_where(f, &o->at, &l->at, where)),
			     "load one of the two somewhere else");
		return;
	}
}

void loading_check(struct draft *d, const struct conf_source *s, struct findings *f)
{
	/* what is missing may be what another finding is about */
	bool is_clean = f->n_errors == 0;

	if (is_clean && d->n_memory == 0)
		finding_hint(finding_error(f, NULL, "the VM has no memory"),
			     "add `ram 64M`, before the first `load`");
	if (is_clean && d->n_loads == 0)
		finding_hint(finding_error(f, NULL, "nothing is loaded that the guest could run"),
			     "add `load FILE`: a Linux kernel, an ELF file, or raw code at an "
			     "address");
	if (d->board->dump[0] && d->board->dump[0] != '|')
		path_resolve(d->board->dump, sizeof d->board->dump,
			     d->path_base_is_cwd ? "" : s->part[d->dump_at.part].folder, f,
			     &d->dump_at);
	for (unsigned i = 0; i < d->n_loads; i++) {
		struct draft_load *l = &d->load[i];

		if (!d->memory_is_wrong)
			check_place(d, f, l);
		check_twice(d, f, i);
		path_resolve(l->load.path, sizeof l->load.path,
			     d->path_base_is_cwd ? "" : s->part[l->at.part].folder, f, &l->at);
	}
}
