/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/cpus.h"

#include <string.h>

#include "base/str.h"
#include "vmm/conf/draft.h"

static void differ(struct findings *f, const struct draft_cpu *first, const struct draft_cpu *c)
{
	const struct mark *at = c->partition_at.line ? &c->partition_at : &c->at;
	char where[FINDING_WHERE];
	struct diagnostic *d;

	finding_where(f, &first->partition_at, at, where);
	if (c->partition_at.line)
		d = finding_error(f, at, "another vCPU is in the partition '%s', in %s",
				  first->partition, where);
	else
		d = finding_error(f, at, "this vCPU is in no partition, another is in '%s', in %s",
				  first->partition, where);
	finding_hint(d,
		     "write `partition %s` for each vCPU: Linux gives a budget to whole VMs that "
		     "share it, with memory limits of their own",
		     first->partition);
}

void cpus_check(struct draft *d, struct findings *f)
{
	struct board *b = d->board;
	const struct draft_cpu *first = NULL;

	for (unsigned i = 0; i < b->n_cpus; i++) {
		/* Of a name that is none it was told already. */
		if (d->cpu[i].partition_at.line && !d->cpu[i].partition[0])
			return;
		if (!first && d->cpu[i].partition[0])
			first = &d->cpu[i];
	}
	for (unsigned i = 0; first && i < b->n_cpus; i++)
		if (strcmp(d->cpu[i].partition, first->partition) != 0)
			differ(f, first, &d->cpu[i]);
	if (first)
		str_copy(b->partition, sizeof b->partition, first->partition);
}
