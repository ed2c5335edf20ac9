/* SPDX-License-Identifier: Apache-2.0 */
/* What the doctor makes of a machine's files, and of a server's words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "client/doctor/doctor.h"
#include "client/show/field.h"
#include "tests/unit/test.h"

/* A machine that has these files alone. */
struct machine {
	char root[64];
};

static void machine_make(struct machine *m)
{
	snprintf(m->root, sizeof m->root, "/tmp/qvm-doctor-XXXXXX");
	assert_non_null(mkdtemp(m->root));
}

static void put(const struct machine *m, const char *path, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof full, "%s%s", m->root, path);
	for (char *at = full + strlen(m->root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(full, 0700);
		*at = '/';
	}
	f = fopen(full, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void machine_remove(const struct machine *m)
{
	char command[96];

	snprintf(command, sizeof command, "rm -r '%s'", m->root);
	assert_int_equal(system(command), 0);
}

static enum doctor_result look(const struct machine *m,
			       void (*check)(const struct patient *p, struct finding *f))
{
	const struct patient p = {.root = m->root};
	struct finding f = {.result = DOCTOR_RESULTS};

	check(&p, &f);
	assert_true(*f.text);
	assert_true(f.result < DOCTOR_WARNING || *f.mend);
	return f.result;
}

TEST(doctor_says_unknown_of_what_is_not_told)
{
	struct machine m;

	machine_make(&m);
	assert_int_equal(look(&m, check_swap), DOCTOR_UNKNOWN);
	assert_int_equal(look(&m, check_overcommit), DOCTOR_UNKNOWN);
	assert_int_equal(look(&m, check_clock_source), DOCTOR_UNKNOWN);
	assert_int_equal(look(&m, check_processor), DOCTOR_UNKNOWN);
	assert_int_equal(look(&m, check_kvm_interface), DOCTOR_UNKNOWN);
	assert_int_equal(look(&m, check_kvm_device), DOCTOR_ERROR);
	assert_int_equal(look(&m, check_cgroup), DOCTOR_WARNING);
	assert_int_equal(look(&m, check_iommu), DOCTOR_NOTE);
	machine_remove(&m);
}

TEST(doctor_warns_of_what_makes_guests_late_or_mortal)
{
	static const char clock[] =
		"/sys/devices/system/clocksource/clocksource0/current_clocksource";
	struct machine m;

	machine_make(&m);
	put(&m, "/proc/meminfo", "MemTotal: 1 kB\nSwapTotal:     2097152 kB\n");
	put(&m, "/proc/sys/vm/swappiness", "60\n");
	assert_int_equal(look(&m, check_swap), DOCTOR_WARNING);
	put(&m, "/proc/sys/vm/swappiness", "10\n");
	assert_int_equal(look(&m, check_swap), DOCTOR_OK);
	put(&m, "/proc/meminfo", "SwapTotal: 0 kB\n");
	put(&m, "/proc/sys/vm/swappiness", "60\n");
	assert_int_equal(look(&m, check_swap), DOCTOR_OK);
	put(&m, "/proc/sys/vm/overcommit_memory", "1\n");
	assert_int_equal(look(&m, check_overcommit), DOCTOR_WARNING);
	put(&m, "/proc/sys/vm/overcommit_memory", "0\n");
	assert_int_equal(look(&m, check_overcommit), DOCTOR_OK);
	put(&m, clock, "hpet\n");
	assert_int_equal(look(&m, check_clock_source), DOCTOR_WARNING);
	put(&m, clock, "tsc\n");
	assert_int_equal(look(&m, check_clock_source), DOCTOR_OK);
	machine_remove(&m);
}

TEST(doctor_finds_what_confinement_lacks)
{
	static const char controllers[] = "/sys/fs/cgroup/cgroup.controllers";
	static const char namespaces[] = "/proc/sys/user/max_user_namespaces";
	struct machine m;

	machine_make(&m);
	put(&m, controllers, "cpuset cpu io memory pids\n");
	assert_int_equal(look(&m, check_cgroup), DOCTOR_OK);
	put(&m, controllers, "cpuset io memory pids\n"); /* cpuset is not cpu */
	assert_int_equal(look(&m, check_cgroup), DOCTOR_WARNING);
	assert_int_equal(look(&m, check_user_namespaces), DOCTOR_WARNING);
	put(&m, namespaces, "0\n");
	assert_int_equal(look(&m, check_user_namespaces), DOCTOR_WARNING);
	put(&m, namespaces, "1000\n");
	assert_int_equal(look(&m, check_user_namespaces), DOCTOR_OK);
	put(&m, "/proc/sys/kernel/unprivileged_userns_clone", "0\n");
	assert_int_equal(look(&m, check_user_namespaces), DOCTOR_NOTE);
	put(&m, "/proc/cpuinfo", "flags : fpu vme svm sse\n");
	assert_int_equal(look(&m, check_processor), DOCTOR_OK);
	put(&m, "/proc/cpuinfo", "flags : fpu vme sse\n");
	assert_int_equal(look(&m, check_processor), DOCTOR_ERROR);
	put(&m, "/dev/kvm", "");
	assert_int_equal(look(&m, check_processor), DOCTOR_NOTE);
	machine_remove(&m);
}

static enum doctor_result of_host(const char *text,
				  void (*check)(const struct patient *p, struct finding *f))
{
	AUTO_JSON json_t *host = NULL;
	struct patient p = {.root = "", .now_ms = INT64_C(1790000000000)}; /* 2026-09-21 */
	struct finding f = {.result = DOCTOR_RESULTS};
	struct err e;

	assert_int_equal(field_parse(text, strlen(text), &host, &e), 0);
	p.host = host;
	check(&p, &f);
	assert_true(*f.text);
	return f.result;
}

TEST(doctor_judges_what_a_server_tells)
{
	assert_int_equal(
		of_host("{\"store\":{\"free_bytes\":1,\"total_bytes\":99}}", check_state_disk),
		DOCTOR_ERROR);
	assert_int_equal(of_host("{\"store\":{\"free_bytes\":99999999,\"total_bytes\":999999999}}",
				 check_state_disk),
			 DOCTOR_WARNING);
	assert_int_equal(of_host("{}", check_state_disk), DOCTOR_UNKNOWN);
	assert_int_equal(
		of_host("{\"programs\":{\"qvmd\":\"0.0\",\"qvm-api\":\"0.0\"}}", check_versions),
		DOCTOR_WARNING);
	assert_int_equal(
		of_host("{\"certificate_until\":\"2026-09-20T00:00:00.000Z\"}", check_certificate),
		DOCTOR_ERROR);
	assert_int_equal(
		of_host("{\"certificate_until\":\"2026-10-01T00:00:00.000Z\"}", check_certificate),
		DOCTOR_WARNING);
	assert_int_equal(
		of_host("{\"certificate_until\":\"2027-10-01T00:00:00.000Z\"}", check_certificate),
		DOCTOR_OK);
	assert_int_equal(of_host("{\"capacity\":{\"available_bytes\":1,\"memory_bytes\":100}}",
				 check_memory),
			 DOCTOR_WARNING);
	assert_int_equal(of_host("{\"kvm\":{\"features\":[{\"name\":\"x\",\"needed\":true,"
				 "\"offered\":false}]}}",
				 check_kvm_features),
			 DOCTOR_ERROR);
}
