/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a worker: what its cgroup, or that of its slice, tells of lack of memory. */
#include "daemon/worker/confine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "daemon/daemon.h"
#include "daemon/worker/scope.h"
#include "daemon/worker/worker.h"
#include "tests/unit/test.h"

/* A slice, played by a folder; its scopes have gone already. */
static char folder[40], slice[64], events[80];

static void write_kills(const char *path, int kills)
{
	AUTO_FILE FILE *f = fopen(path, "we");

	assert_non_null(f);
	fprintf(f, "low 0\nhigh 0\nmax 7\noom %d\noom_kill %d\noom_group_kill 0\n", kills, kills);
}

static void begin(int kills)
{
	strcpy(folder, "/tmp/qvm-slice-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(slice, sizeof slice, "%s/" SCOPE_SLICE, folder);
	assert_int_equal(mkdir(slice, 0755), 0);
	snprintf(events, sizeof events, "%s/memory.events", slice);
	write_kills(events, kills);
}

static void finish(void)
{
	unlink(events);
	assert_int_equal(rmdir(slice), 0);
	assert_int_equal(rmdir(folder), 0);
}

static bool ends(struct daemon *d, bool is_gone)
{
	struct worker w = {.d = d, .home = {.is_in_scope = true}};
	char own[96];

	snprintf(own, sizeof own, "%s/own", slice);
	snprintf(w.home.path, sizeof w.home.path, "%s/qvm-x-1.scope", slice);
	if (is_gone) { /* read() of a folder is refused, as that of a file of a removed cgroup is */
		w.home.events = open(slice, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} else {
		write_kills(own, 0);
		w.home.events = open(own, O_RDONLY | O_CLOEXEC);
		unlink(own);
	}
	return confine_end(&w);
}

TEST(confine_reads_the_slice_when_the_scope_has_gone)
{
	struct daemon d = {.cgroup.fd = -1, .scopes.kills_seen = 3};

	begin(4);
	assert_true(ends(&d, true));
	assert_false(ends(&d, true)); /* that kill is accounted for */
	write_kills(events, 5);
	assert_true(ends(&d, true));
	finish();
}

/* Each partition is a slice in it; the one count is of all. */
TEST(confine_counts_in_the_slice_of_all_partitions)
{
	struct daemon d = {.cgroup.fd = -1, .scopes.kills_seen = 0};
	struct worker w = {.d = &d, .home = {.is_in_scope = true, .events = -1}};

	begin(1);
	snprintf(w.home.path, sizeof w.home.path, "%s/qvm-rt.slice/qvm-x-1.scope", slice);
	confine_end(&w);
	assert_int_equal(d.scopes.kills_seen, 1);
	finish();
}

/* An earlier supervisor told of those, or nobody could. */
TEST(confine_of_an_adopted_worker_does_not_count_what_was_killed_before)
{
	struct daemon d = {.cgroup.fd = -1, .scopes.kills_seen = -1};

	begin(4);
	assert_false(ends(&d, true));
	assert_int_equal(d.scopes.kills_seen, 4);
	finish();
}

TEST(confine_believes_a_scope_that_is_there_and_not_its_slice)
{
	struct daemon d = {.cgroup.fd = -1, .scopes.kills_seen = 0};

	begin(9);
	assert_false(ends(&d, false));
	assert_int_equal(d.scopes.kills_seen, 9);
	finish();
}

TEST(confine_of_a_worker_without_a_cgroup_says_nothing_of_memory)
{
	struct daemon d = {.cgroup.fd = -1};
	struct worker w = {.d = &d, .home.events = -1};

	assert_false(confine_end(&w));
}
