/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "schemas/policy.h"

static bool find(const struct order_member *m, size_t n, const char *name, size_t *ret)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(m[middle].name, name);

		if (order == 0) {
			*ret = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* What member i takes over from those it waits for. */
static bool take_over(struct order_member *m, size_t n, size_t i)
{
	const char *after = m[i].after;
	bool is_changed = false;
	char name[NAME_CAP];
	size_t k;

	while (policy_next_name(&after, name)) {
		if (!find(m, n, name, &k))
			continue;
		if (m[k].rank > m[i].rank) {
			m[i].rank = m[k].rank;
			is_changed = true;
		}
		if (m[i].is_stuck || !m[k].is_wanted || m[k].runs || m[k].is_on_way || m[k].is_due)
			continue;
		if (!m[k].waits || m[k].is_stuck)
			m[i].is_stuck = is_changed = true;
	}
	return is_changed;
}

/* Each round carries it one step further; a chain has at most n steps, mostly two. */
void order_prepare(struct order_member *m, size_t n)
{
	bool is_changed = true;

	for (size_t i = 0; i < n; i++) {
		m[i].rank = m[i].order;
		m[i].is_stuck = false;
	}
	for (size_t round = 0; round <= n && is_changed; round++) {
		is_changed = false;
		for (size_t i = 0; i < n; i++)
			is_changed |= take_over(m, n, i);
	}
}

struct order_verdict order_may_start(const struct order_member *m, size_t n, size_t i)
{
	const char *after = m[i].after;
	char name[NAME_CAP];
	size_t other;

	while (policy_next_name(&after, name))
		if (find(m, n, name, &other) && m[other].is_wanted && !m[other].runs)
			return (struct order_verdict){ORDER_AFTER, other};
	for (other = 0; other < n; other++)
		if (m[other].rank < m[i].rank &&
		    (m[other].is_on_way || (m[other].waits && !m[other].is_stuck)))
			return (struct order_verdict){ORDER_RANK, other};
	return (struct order_verdict){.why = ORDER_GO};
}

static bool names(const struct order_member *m, const char *name)
{
	const char *after = m->after;
	char other[NAME_CAP];

	while (policy_next_name(&after, other))
		if (!strcmp(other, name))
			return true;
	return false;
}

bool order_may_end(const struct order_member *m, size_t n, size_t i)
{
	for (size_t k = 0; k < n; k++)
		if (k != i && m[k].has_worker && (m[k].rank > m[i].rank || names(&m[k], m[i].name)))
			return false;
	return true;
}

/* Depth first; `seen` keeps each member from being walked twice, so the whole is linear. */
static bool walk(const struct order_member *m, size_t n, size_t at, size_t goal, bool *seen,
		 size_t *path, size_t *n_path)
{
	const char *after = m[at].after;
	char name[NAME_CAP];
	size_t next;

	path[(*n_path)++] = at;
	while (policy_next_name(&after, name)) {
		if (!find(m, n, name, &next))
			continue;
		if (next == goal)
			return true;
		if (seen[next])
			continue;
		seen[next] = true;
		if (walk(m, n, next, goal, seen, path, n_path))
			return true;
	}
	--*n_path;
	return false;
}

bool order_has_cycle(const struct order_member *m, size_t n, size_t i, char *ret, size_t cap)
{
	bool *seen = calloc(n, sizeof *seen);
	size_t *path = calloc(n + 1, sizeof *path);
	size_t n_path = 0, len = 0;
	bool is_cycle;

	if (!seen || !path)
		abort();
	is_cycle = walk(m, n, i, i, seen, path, &n_path);
	ret[0] = '\0';
	for (size_t k = 0; is_cycle && k < n_path; k++)
		str_add(ret, cap, &len, "%s -> ", m[path[k]].name);
	if (is_cycle)
		str_add(ret, cap, &len, "%s", m[i].name);
	free(seen);
	free(path);
	return is_cycle;
}
