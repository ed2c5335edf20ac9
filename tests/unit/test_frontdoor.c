/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's end of the link to an API process that is played here. */
#include "daemon/door/frontdoor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/store/event.h"
#include "schemas/op.h"
#include "tests/unit/test.h"

enum { TURNS = 32 };

struct house {
	struct daemon d;
	char folder[64], path[80];
	int link; /* the API's end */
};

static void open_house(struct house *h)
{
	int link[2];
	struct err e;

	*h = (struct house){.d.cgroup.fd = -1};
	str_copy(h->folder, sizeof h->folder, "/tmp/qvm-unit-XXXXXX");
	assert_non_null(mkdtemp(h->folder));
	snprintf(h->path, sizeof h->path, "%s/state.db", h->folder);
	assert_int_equal(store_open(&h->d.store, h->path, (gid_t)-1, &e), 0);
	assert_true(sd_event_new(&h->d.loop) >= 0);
	assert_int_equal(ledger_open(&h->d, &e), 0);
	assert_int_equal(wire_pair(link, &e), 0);
	h->link = link[1];
	frontdoor_open(&h->d, link[0]);
}

static void close_house(struct house *h)
{
	static const char *const suffix[] = {"", "-wal", "-shm"};
	char path[96];

	frontdoor_close(&h->d);
	ledger_drop(&h->d);
	store_close(&h->d.store);
	sd_event_unref(h->d.loop);
	close(h->link);
	for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
		snprintf(path, sizeof path, "%s%s", h->path, suffix[i]);
		unlink(path);
	}
	rmdir(h->folder);
}

/* As many calls as the link takes; the answers are read, so that nothing is held against it. */
static unsigned call_without_end(const struct house *h)
{
	struct msg_call c = {.op = OP_vm_start, .caller.role = ROLE_ADMIN, .vm = "nobody"};
	struct wire_msg m;
	unsigned n = 0;
	struct err e;

	while (wire_recv(h->link, &message_table, WIRE_TO_API, &m, &e) == 1)
		n++;
	while (wire_send(h->link, &message_table, MESSAGE_CALL, 1, &c, NULL, 0, &e) == 0)
		;
	return n;
}

TEST(frontdoor_leaves_the_ledger_its_turn_however_many_calls_come)
{
	struct event ev = event_make(JOURNAL_API_UP, "", "played");
	unsigned answered = 0;
	struct house h;

	open_house(&h);
	ledger_event(&h.d, &ev);
	for (int i = 0; i < TURNS && h.d.ledger.first; i++) {
		answered += call_without_end(&h);
		assert_true(sd_event_run(h.d.loop, 0) >= 0);
	}
	answered += call_without_end(&h);
	assert_null(h.d.ledger.first);
	assert_true(answered > 0);
	close_house(&h);
}
