/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/debt.h"

#include <string.h>

#include "api/api.h"
#include "api/http/asker.h"
#include "api/http/request.h"

int debt_has_room(size_t own, size_t all, size_t n)
{
	return own == 0 || (own + n <= DEBT_PEER && all + n <= DEBT_ALL);
}

int debt_take(struct request *r, size_t n, struct err *e)
{
	struct debts *debts = &r->api->debts;
	size_t own = 0, all = 0;
	struct debt *d;

	if (n <= DEBT_SMALL || !asker_name(r, false, r->debt.who))
		return 0;
	LIST_FOREACH(d, debts, link)
	{
		all += d->bytes;
		own += strcmp(d->who, r->debt.who) ? 0 : d->bytes;
	}
	if (op_table[r->route.op].kind == OP_KIND_VIEW && !debt_has_room(own, all, n)) {
		r->api->tally.n_over_answers++;
		return err_set(e, LIMIT,
			       "%s has left %zu MiB of answers unread, of %d that it may and %d "
			       "for all; read them, or ask for less at once",
			       r->debt.who, own >> 20, DEBT_PEER >> 20, DEBT_ALL >> 20);
	}
	r->debt.bytes = n;
	LIST_INSERT_HEAD(debts, &r->debt, link);
	return 0;
}

void debt_drop(struct debt *d)
{
	if (d->bytes)
		LIST_REMOVE(d, link);
	d->bytes = 0;
}
