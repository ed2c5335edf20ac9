/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a cgroup2 folder, played by a folder of ordinary files. */
#include "daemon/worker/controller.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/auto.h"
#include "tests/unit/test.h"

static char path[64];
static int folder;

static void begin(void)
{
	strcpy(path, "/tmp/qvm-controller-XXXXXX");
	assert_non_null(mkdtemp(path));
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(folder >= 0);
}

static void put(const char *name, const char *text)
{
	AUTO_FD int fd = openat(folder, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void expect(const char *name, const char *text)
{
	char got[128] = "";
	AUTO_FD int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);

	assert_true(read(fd, got, sizeof got - 1) >= 0);
	assert_string_equal(got, text);
	unlinkat(folder, name, 0);
}

static void finish(void)
{
	close(folder);
	assert_int_equal(rmdir(path), 0); /* nothing was written that no test expects */
}

static const struct limits limits = {.memory_bytes = 1 << 20,
				     .cpu_weight = 200,
				     .cpu_quota_us = 5000,
				     .cpu_period_us = 100000,
				     .io_weight = 5000,
				     .pids = 40};

TEST(controller_writes_each_limit_that_the_folder_has)
{
	struct limits_held h = {.by[LIMIT_PIDS] = LIMITER_RLIMIT};

	begin();
	put("memory.max", "");
	put("memory.oom.group", "");
	put("cpu.weight", "");
	put("cpu.max", "");
	controller_limit(folder, &limits, &h);
	assert_int_equal(h.by[LIMIT_MEMORY], LIMITER_CGROUP);
	assert_int_equal(h.by[LIMIT_CPU], LIMITER_CGROUP);
	assert_int_equal(h.by[LIMIT_IO], LIMITER_NONE);
	assert_int_equal(h.by[LIMIT_PIDS], LIMITER_RLIMIT); /* it stays with what held it before */
	expect("memory.max", "1048576");
	expect("memory.oom.group", "1");
	expect("cpu.weight", "200");
	expect("cpu.max", "5000 100000");
	finish();
}

TEST(controller_writes_io_by_either_scheduler_and_pids)
{
	struct limits_held h = {0};

	begin();
	put("io.bfq.weight", "");
	put("pids.max", "");
	controller_limit(folder, &limits, &h);
	assert_int_equal(h.by[LIMIT_IO], LIMITER_CGROUP);
	assert_int_equal(h.by[LIMIT_PIDS], LIMITER_CGROUP);
	assert_int_equal(h.by[LIMIT_MEMORY], LIMITER_NONE);
	expect("io.bfq.weight", "1000");
	expect("pids.max", "40");
	finish();
}

TEST(controller_limits_each_device_of_the_disks_and_says_whether_all_are)
{
	struct limits l = limits;
	struct limits_held h = {0};

	l.read_bytes = 4096;
	l.writes = 7;
	limits_add_disk(&l.disks, makedev(8, 16));
	limits_add_disk(&l.disks, makedev(8, 16));
	begin();
	put("io.max", "");
	controller_limit(folder, &l, &h);
	assert_true(h.wants_io_max);
	assert_int_equal(h.by[LIMIT_IO_MAX], LIMITER_CGROUP);
	assert_int_equal(l.disks.n, 1);
	expect("io.max", "8:16 rbps=4096 wbps=max riops=max wiops=7");
	put("io.max", "8:160 rbps=4096 wbps=max riops=max wiops=7\n");
	assert_false(controller_has_io_max(folder, &l));
	put("io.max", "253:0 rbps=1 wbps=max riops=max wiops=max\n8:16 rbps=4096 wbps=max\n");
	assert_true(controller_has_io_max(folder, &l));
	limits_add_disk(&l.disks, 0); /* one on a network's file system */
	assert_false(controller_has_io_max(folder, &l));
	h = (struct limits_held){0};
	controller_limit(folder, &l, &h);
	assert_int_equal(h.by[LIMIT_IO_MAX], LIMITER_NONE);
	unlinkat(folder, "io.max", 0);
	finish();
}

TEST(controller_hands_down_what_is_wanted_and_there)
{
	begin();
	put("cgroup.controllers", "cpuset hugetlb memory rdma\n");
	put("cgroup.subtree_control", "");
	assert_int_equal(controller_enable(folder), 0); /* played: it does not come into effect */
	expect("cgroup.subtree_control", "+memory");
	put("cgroup.subtree_control", "hugetlb memory pids\n");
	assert_int_equal(controller_enable(folder), 1 << LIMIT_MEMORY | 1 << LIMIT_PIDS);
	unlinkat(folder, "cgroup.subtree_control", 0);
	unlinkat(folder, "cgroup.controllers", 0);
	finish();
}

static int64_t kills(const char *text)
{
	int64_t n;

	begin();
	put("memory.events", text);
	AUTO_FD int events = controller_events(folder);
	assert_true(events >= 0);
	n = controller_oom_kills(events);
	unlinkat(folder, "memory.events", 0);
	finish();
	return n;
}

TEST(controller_counts_oom_kills)
{
	assert_int_equal(kills("low 0\nhigh 0\nmax 41\noom 2\noom_kill 0\noom_group_kill 0\n"), 0);
	assert_int_equal(kills("low 0\nhigh 0\nmax 41\noom 2\noom_kill 3\noom_group_kill 1\n"), 3);
	assert_int_equal(kills("low 0\nhigh 0\noom_group_kill 1\n"), 0);
	assert_int_equal(kills(""), 0);
	assert_int_equal(controller_oom_kills(-1), -1);
}

TEST(controller_writes_the_budget_of_a_partition_and_reads_it_back)
{
	const struct partition p = {.weight = 200, .percent = 150}, free = {.weight = 50},
			       less = {.weight = 200, .percent = 50};

	begin();
	assert_false(controller_budget(folder, &p)); /* it has no controller */
	assert_false(controller_has_budget(folder, &p));
	put("cpu.weight", "");
	put("cpu.max", "");
	assert_true(controller_budget(folder, &p));
	assert_true(controller_has_budget(folder, &p));
	assert_false(controller_has_budget(folder, &less));
	expect("cpu.weight", "200");
	expect("cpu.max", "150000 100000");
	put("cpu.weight", "");
	put("cpu.max", "");
	assert_true(controller_budget(folder, &free));
	assert_true(controller_has_budget(folder, &free));
	expect("cpu.weight", "50");
	expect("cpu.max", "max 100000");
	finish();
}
