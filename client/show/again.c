/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/again.h"

#include <stdio.h>

enum { FIRST_MS = 250, MOST_MS = 5000 };

bool again_may(const struct err *e, long status)
{
	return e->code == ERR_NO_SERVER || (e->code == ERR_OK && status == 503);
}

void again_forget(struct again *a)
{
	*a = (struct again){0};
}

void again_tell(struct again *a, const char *what, const char *of)
{
	if (!a->is_told)
		fprintf(stderr, "qvmadm: the %s of '%s' broke off; taking it up again\n", what, of);
	a->is_told = true;
}

int64_t again_pause(struct again *a)
{
	int64_t now_ms = a->pause_ms ? a->pause_ms : FIRST_MS;

	a->pause_ms = now_ms * 2 > MOST_MS ? MOST_MS : now_ms * 2;
	return now_ms;
}
