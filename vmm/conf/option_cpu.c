/* SPDX-License-Identifier: Apache-2.0 */
/* `cpu` and the options behind it: sched runmask cluster partition. */
#include <inttypes.h>
#include <string.h>

#include "base/cpulist.h"
#include "base/partition.h"
#include "base/str.h"
#include "vmm/conf/number.h"
#include "vmm/conf/parse.h"

enum { PRIORITY_MOST = 99 }; /* sched(7) */

/* The vCPU whose context is open. */
static struct board_cpu *current(struct parse *p)
{
	return &p->draft->board->cpu[p->draft->board->n_cpus - 1];
}

void option_cpu(struct parse *p, const struct token *t)
{
	if (!draft_add_cpu(p->draft, p->findings, &t->at))
		p->is_blind = true;
}

/* A priority of Linux, or a finding. */
static bool read_priority(struct parse *p, const struct token *t, size_t at, size_t n,
			  unsigned *ret)
{
	struct mark mark = lex_mark(t, at, n);
	uint64_t priority;
	struct err e;

	if (number_plain(t->text + at, n, &priority, &e) < 0) {
		finding_hint(finding_error(p->findings, &mark, "%s", e.msg),
			     "write `sched 10r`: a priority, and r round-robin, f FIFO or o other");
		return false;
	}
	if (priority < 1 || priority > PRIORITY_MOST) {
		finding_hint(finding_error(p->findings, &mark,
					   "Linux has no real-time priority %" PRIu64, priority),
			     "priorities are from 1 to %d; those above belong to the kernel",
			     PRIORITY_MOST);
		return false;
	}
	*ret = (unsigned)priority;
	return true;
}

/* HIGH,LOW,MAXREPL,PERIOD,BUDGETs. Linux has no sporadic server: what it comes closest to is that
 * the vCPU keeps HIGH, round-robin. SCHED_DEADLINE takes a privilege that a worker never has. */
static void sporadic(struct parse *p, const struct token *t)
{
	const char *s = t->text;
	uint64_t part[5] = {0};
	unsigned high, low;
	size_t at[5], n[5];
	struct mark mark;
	struct err e;

	for (unsigned i = 0; i < 5; i++) {
		at[i] = (size_t)(s - t->text);
		n[i] = strcspn(s, i == 4 ? "s" : ",");
		mark = lex_mark(t, at[i], n[i]);
		if (s[n[i]] == '\0' || (i == 4 && s[n[i] + 1])) {
			finding_hint(finding_error(p->findings, &t->at,
						   "'%.64s' is no sporadic schedule", t->text),
				     "write HIGH,LOW,MAXREPL,PERIOD,BUDGETs as one word, the times "
				     "in ns: 30,10,5,1000000,500000s");
			return;
		}
		if (number_plain(s, n[i], &part[i], &e) < 0) {
			finding_hint(finding_error(p->findings, &mark, "%s", e.msg),
				     "it must be a number, like all five of them");
			return;
		}
		s += n[i] + 1;
	}
	if (!read_priority(p, t, at[0], n[0], &high) || !read_priority(p, t, at[1], n[1], &low))
		return;
	if (part[4] == 0 || part[4] > part[3] || low > high) {
		finding_hint(
			finding_error(p->findings, &t->at, "this schedule makes no sense: %s",
				      low > high ? "LOW is above HIGH"
						 : "BUDGET is 0 or longer than PERIOD"),
			"write HIGH,LOW,MAXREPL,PERIOD,BUDGETs with LOW <= HIGH and 0 < BUDGET "
			"<= PERIOD");
		return;
	}
	finding_hint(finding_warn(p->findings, &t->at,
				  "the budget is not kept: the vCPU runs round-robin at %u all the "
				  "time, it never drops to %u",
				  high, low),
		     "Linux has no sporadic scheduling; `sched %ur` says the same, `sched %ur` is "
		     "the careful choice",
		     high, low);
	current(p)->sched = BOARD_SCHED_RR;
	current(p)->priority = high;
}

void option_cpu_sched(struct parse *p, const struct token *t)
{
	static const enum board_sched policy[] = {BOARD_SCHED_RR, BOARD_SCHED_FIFO,
						  BOARD_SCHED_OTHER};
	static const char letter[] = "rfo";
	const char *text = t[1].text, *last;
	size_t n = strlen(text);
	enum board_sched sched = BOARD_SCHED_RR;
	unsigned priority;

	if (strchr(text, ',')) {
		sporadic(p, &t[1]);
		return;
	}
	last = n ? strchr(letter, text[n - 1]) : NULL;
	if (last && *last) {
		sched = policy[last - letter];
		n--;
	}
	if (!read_priority(p, &t[1], 0, n, &priority))
		return;
	current(p)->sched = sched;
	current(p)->priority = sched == BOARD_SCHED_OTHER ? 0 : priority;
}

void option_cpu_runmask(struct parse *p, const struct token *t)
{
	struct err e;

	if (cpulist_read(t[1].text, &current(p)->host, &e) < 0)
		finding_hint(finding_error(p->findings, &t[1].at, "%s", e.msg),
			     "write `runmask 2,3`, without white space: the host CPUs that this "
			     "vCPU may run on");
	else
		current(p)->is_pinned = true;
}

void option_cpu_cluster(struct parse *p, const struct token *t)
{
	const char *clusters = p->source->clusters ? p->source->clusters : "";
	struct diagnostic *d;
	struct err e;
	int r = cpulist_cluster(clusters, t[1].text, &current(p)->host, &e);

	if (r > 0) {
		current(p)->is_pinned = true;
		return;
	}
	d = r < 0 ? finding_error(p->findings, &t[1].at, "%s", e.msg)
		  : finding_error(p->findings, &t[1].at, "this host has no CPU cluster '%.64s'",
				  t[1].text);
	if (clusters[0])
		finding_hint(d, "there are: %.200s", clusters);
	else
		finding_hint(d,
			     "define it with `cluster %.64s = 2,3` in qvmd.conf, or for a lone "
			     "qvm with QVM_CLUSTERS=%.64s=2,3 in the environment",
			     t[1].text, t[1].text);
}

void option_cpu_partition(struct parse *p, const struct token *t)
{
	const char *partitions = p->source->partitions ? p->source->partitions : "";
	struct draft_cpu *c = &p->draft->cpu[p->draft->board->n_cpus - 1];
	struct partition unused;
	struct diagnostic *d;

	c->partition_at = t[1].at;
	c->partition[0] = '\0';
	if (partition_find(partitions, t[1].text, &unused)) {
		str_copy(c->partition, sizeof c->partition, t[1].text);
		return;
	}
	d = finding_error(p->findings, &t[1].at, "this host has no CPU partition '%.64s'",
			  t[1].text);
	if (partitions[0])
		finding_hint(d, "there are: %.200s", partitions);
	else
		finding_hint(d,
			     "define it with `partition NAME = 400 150%%` in qvmd.conf, its weight "
			     "and the most it may use of a CPU; to check the file alone, with "
			     "QVM_PARTITIONS=NAME=400/150 in the environment");
}
