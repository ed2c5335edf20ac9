/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/limits.h"

#include <string.h>

#include "tests/unit/test.h"

static const struct msg_plan plan = {
	.n_vcpus = 4, .n_vdevs = 5, .ram_bytes = 1 << 30, .rom_bytes = 1 << 20};

TEST(limits_of_a_machine_are_its_memory_and_a_slack)
{
	struct policy p = policy_default();
	struct limits l = limits_of(&p, &plan, 0), shared = limits_of(&p, &plan, 1 << 28);
	uint64_t guest = plan.ram_bytes + plan.rom_bytes;

	assert_true(l.memory_bytes > guest && l.memory_bytes < guest + guest / 4);
	assert_true(shared.memory_bytes >= l.memory_bytes + (1 << 28));
	assert_true(l.pids > plan.n_vcpus + plan.n_vdevs && l.pids < 100);
	assert_int_equal(l.cpu_quota_us, 0);
}

TEST(limits_of_the_policy_go_before_those_of_the_machine)
{
	struct policy p = policy_default();
	struct limits l;

	p.memory_max = 1 << 29;
	p.pids_max = 7;
	p.cpu_max_percent = 150;
	p.cpu_period_ms = 20;
	p.cpu_weight = 900;
	p.io_weight = 3;
	l = limits_of(&p, &plan, 0);
	assert_int_equal(l.memory_bytes, 1 << 29);
	assert_int_equal(l.pids, 7);
	assert_int_equal(l.cpu_quota_us, 30000);
	assert_int_equal(l.cpu_period_us, 20000);
	assert_int_equal(l.cpu_weight, 900);
	assert_int_equal(l.io_weight, 3);
}

TEST(limits_quota_is_never_below_what_the_kernel_takes)
{
	struct policy p = policy_default();

	p.cpu_max_percent = 1;
	p.cpu_period_ms = 10;
	assert_int_equal(limits_of(&p, &plan, 0).cpu_quota_us, 1000);
}

TEST(limits_while_a_configuration_is_read_are_small_whatever_the_policy_permits)
{
	struct policy p = policy_default();
	uint64_t bytes = limits_early(&p).memory_bytes;

	p.memory_max = INT64_C(1) << 40;
	p.pids_max = 4000;
	assert_int_equal(limits_early(&p).memory_bytes, bytes);
	assert_int_equal(limits_early(&p).pids, 64);
	p.memory_max = 1; /* what the machine gets; its worker must still come to say so */
	assert_in_range(limits_early(&p).memory_bytes, 1 << 20, bytes);
}

TEST(limits_that_are_required_but_not_held_are_refused_by_name)
{
	struct policy p = policy_default();
	struct limits_held h = {.by = {[LIMIT_MEMORY] = LIMITER_CGROUP,
				       [LIMIT_CPU] = LIMITER_SCOPE,
				       [LIMIT_PIDS] = LIMITER_RLIMIT}};
	struct err e;

	assert_int_equal(limits_judge(&p, &h, &e), 0);
	p.limits_required = 1;
	assert_int_equal(limits_judge(&p, &h, &e), -1);
	assert_int_equal(e.code, ERR_RESOURCE);
	assert_non_null(strstr(e.msg, "limit its pids"));
	h.by[LIMIT_PIDS] =
		LIMITER_CGROUP; /* io may be missing: no controller is bound to be there */
	assert_int_equal(limits_judge(&p, &h, &e), 0);
}

TEST(limits_text_names_each_and_what_holds_it)
{
	struct limits_held h = {
		.by = {[LIMIT_MEMORY] = LIMITER_SCOPE, [LIMIT_PIDS] = LIMITER_RLIMIT}};
	char text[LIMITS_TEXT];

	assert_string_equal(limits_text(&h, text), "memory=scope cpu=none io=none pids=rlimit");
}

TEST(limits_of_a_partition_are_told_only_where_one_is_named)
{
	struct policy p = policy_default();
	struct limits_held h = {.by = {[LIMIT_MEMORY] = LIMITER_CGROUP,
				       [LIMIT_CPU] = LIMITER_CGROUP,
				       [LIMIT_PIDS] = LIMITER_CGROUP},
				.wants_partition = true};
	char text[LIMITS_TEXT];
	struct err e;

	assert_int_equal(limits_judge(&p, &h, &e), 0);
	p.limits_required = 1;
	assert_int_equal(limits_judge(&p, &h, &e), -1);
	assert_non_null(strstr(e.msg, "its partition"));
	h.by[LIMIT_PARTITION] = LIMITER_SCOPE;
	assert_int_equal(limits_judge(&p, &h, &e), 0);
	assert_string_equal(limits_text(&h, text),
			    "memory=cgroup cpu=cgroup io=none pids=cgroup partition=scope");
}

TEST(limits_of_disks_are_told_only_where_somebody_asks_for_them)
{
	struct policy p = policy_default();
	struct limits_held h = {.by = {[LIMIT_MEMORY] = LIMITER_CGROUP,
				       [LIMIT_CPU] = LIMITER_CGROUP,
				       [LIMIT_PIDS] = LIMITER_CGROUP}};
	struct limits l;
	char text[LIMITS_TEXT];
	struct err e;

	p.io_write_bps_max = 1 << 20;
	p.limits_required = 1;
	l = limits_of(&p, &plan, 0);
	assert_int_equal(l.write_bytes, 1 << 20);
	assert_false(limits_want_io_max(&l)); /* it has no disk */
	limits_add_disk(&l.disks, 0);
	assert_true(limits_want_io_max(&l));
	assert_int_equal(limits_judge(&p, &h, &e), 0);
	h.wants_io_max = true;
	assert_int_equal(limits_judge(&p, &h, &e), -1);
	assert_non_null(strstr(e.msg, "move its disks"));
	assert_string_equal(limits_text(&h, text),
			    "memory=cgroup cpu=cgroup io=none pids=cgroup io-max=none");
	h.by[LIMIT_IO_MAX] = LIMITER_SCOPE;
	assert_int_equal(limits_judge(&p, &h, &e), 0);
}
