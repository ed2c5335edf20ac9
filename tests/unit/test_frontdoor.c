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
	struct house h;

	open_house(&h);
	call_without_end(&h);
	assert_true(sd_event_run(h.d.loop, 0) >= 0);
	assert_true(call_without_end(&h) > 0); /* they were answered, and there are more */
	ledger_event(&h.d, &ev);
	for (int i = 0; i < TURNS && h.d.ledger.first; i++) {
		assert_true(sd_event_run(h.d.loop, 0) >= 0);
		call_without_end(&h);
	}
	assert_null(h.d.ledger.first);
	close_house(&h);
}

/* Its name would be free for a second worker beside the first. */
TEST(frontdoor_does_not_delete_a_vm_whose_worker_may_live)
{
	struct record row = {.revision = 1, .observed = OBSERVED_SAFE, .pid = 77};
	struct msg_call c = {.op = OP_vm_delete,
			     .if_match = -1,
			     .caller.role = ROLE_ADMIN,
			     .vm = "one",
			     .policy = policy_default()};
	struct msg_answer a;
	struct wire_msg m;
	struct house h;
	struct err e;

	open_house(&h);
	str_copy(row.name, sizeof row.name, "one");
	vm_add(&h.d.vms, &h.d, &row)->is_unfenced = true;
	assert_int_equal(wire_send(h.link, &message_table, MESSAGE_CALL, 1, &c, NULL, 0, &e), 0);
	assert_true(sd_event_run(h.d.loop, 0) >= 0);
	assert_int_equal(wire_recv(h.link, &message_table, WIRE_TO_API, &m, &e), 1);
	memcpy(&a, m.body, sizeof a);
	assert_int_equal(a.err.code, ERR_CONFLICT);
	assert_non_null(strstr(a.err.msg, "process 77"));
	assert_int_equal(h.d.vms.n, 1);
	vm_clear(&h.d.vms);
	close_house(&h);
}
