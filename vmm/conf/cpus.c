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

/* That it stands while the other runs: a spinning one would never see the lock that this one holds. */
static bool starves(const struct board_cpu *a, const struct board_cpu *b)
{
	bool is_realtime = a->sched == BOARD_SCHED_RR || a->sched == BOARD_SCHED_FIFO;

	return is_realtime && (a->priority > b->priority ||
			       (a->sched == BOARD_SCHED_FIFO && a->priority == b->priority));
}

static int only_cpu(const struct board_cpu *c)
{
	for (int i = 0; c->is_pinned && CPU_COUNT(&c->host) == 1 && i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &c->host))
			return i;
	return -1;
}

static void check_starving(const struct draft *d, struct findings *f)
{
	const struct board_cpu *cpu = d->board->cpu;

	for (unsigned i = 1; i < d->board->n_cpus; i++)
		for (unsigned j = 0; j < i; j++) {
			bool is_first = starves(&cpu[j], &cpu[i]);

			if (only_cpu(&cpu[i]) < 0 || only_cpu(&cpu[i]) != only_cpu(&cpu[j]) ||
			    (!is_first && !starves(&cpu[i], &cpu[j])))
				continue;
			finding_hint(
				finding_warn(
					f, &d->cpu[i].at,
					"vCPU %u and vCPU %u run on host CPU %d alone, where %u "
					"stands as long as %u runs: it may wait for it forever",
					j, i, only_cpu(&cpu[i]), is_first ? i : j,
					is_first ? j : i),
				"give each a `runmask` of its own, or the same `sched` with `r`");
			break;
		}
}

void cpus_check(struct draft *d, struct findings *f)
{
	struct board *b = d->board;
	const struct draft_cpu *first = NULL;

	if (b->cpu)
		check_starving(d, f);
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
