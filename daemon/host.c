/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/host.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/kvm.h"

int64_t host_boot_ms(void)
{
	AUTO_FILE FILE *f = fopen("/proc/stat", "re");
	char line[512];
	int64_t seconds = 0;

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "btime %" SCNd64, &seconds) == 1)
			break;
	return seconds * 1000;
}

int host_boot_id(char ret[static HOST_BOOT], struct err *e)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	AUTO_FILE FILE *f = fopen(path, "re");

	if (!f || !fgets(ret, HOST_BOOT, f))
		return err_sys(e, INTERNAL, "read which boot of the host this is in '%s'", path);
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

int host_fact(struct daemon *d, const char *key, const char *value, struct err *e)
{
	return STORE_RUN(&d->store, e,
			 "INSERT INTO host (key, value) VALUES (?1, ?2) "
			 "ON CONFLICT (key) DO UPDATE SET value = ?2",
			 STORE_TEXT(key), STORE_TEXT(value));
}

static int number(struct daemon *d, const char *key, uint64_t value, struct err *e)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%" PRIu64, value);
	return host_fact(d, key, digits, e);
}

/* What the workers of this host will be held by. */
static const char *limits_offered(const struct daemon *d, char ret[static LIMITS_TEXT])
{
	const uint32_t by_systemd = d->scopes.loop ? cgroup_offered() : 0;
	struct limits_held h = {.by[LIMIT_MEMORY] = LIMITER_RLIMIT};

	if (geteuid() == 0)
		h.by[LIMIT_PIDS] = LIMITER_RLIMIT;
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		if (by_systemd & 1u << i)
			h.by[i] = LIMITER_SCOPE;
		else if (d->cgroup.limits & 1u << i)
			h.by[i] = LIMITER_CGROUP;
	return limits_text(&h, ret);
}

static const char *kvm_state(char *ret, size_t cap)
{
	if (access("/dev/kvm", R_OK | W_OK) == 0)
		str_copy(ret, cap, "ok");
	else
		snprintf(ret, cap, "/dev/kvm cannot be opened: %m");
	return ret;
}

/* What this host or this user cannot give; the supervisor runs on without it. */
static void weaknesses(const char *kvm, const char *cgroup_why, const char *keep_why, char *ret,
		       size_t cap)
{
	size_t n = 0;

	ret[0] = '\0';
	if (strcmp(kvm, "ok"))
		str_add(ret, cap, &n, "no VM can start: %s; ", kvm);
	if (cgroup_why[0])
		str_add(ret, cap, &n, "workers are not limited by cgroups: %s; ", cgroup_why);
	if (keep_why[0])
		str_add(ret, cap, &n, "the next qvmd could not adopt VMs: no keeper: %s; ",
			keep_why);
	if (geteuid() != 0)
		str_add(ret, cap, &n,
			"not root: workers and API run as uid %u, not as uids of their own; ",
			geteuid());
	if (n >= 2)
		ret[n - 2] = '\0';
}

/* What workers are held to, by the settings of qvmd.conf. */
static int note_enforced(struct daemon *d, const char *limits, struct err *e)
{
	const struct config *c = &d->config;
	char uids[64], files[64], passed[112];

	if (geteuid() == 0)
		snprintf(uids, sizeof uids, "one a VM, from %u on", c->uid_base + 1);
	else
		snprintf(uids, sizeof uids, "all %u, which is qvmd's", geteuid());
	snprintf(files, sizeof files, "in %u folder%s", c->n_allows, c->n_allows == 1 ? "" : "s");
	snprintf(passed, sizeof passed,
		 "%u files, %u PCI functions, %u UIO devices, %u ranges of memory, %u of ports, %u "
		 "TAPs",
		 c->n_allow_passes, c->n_allow_pcis, c->n_allow_uios, c->n_allow_memories,
		 c->n_allow_ports, c->n_allow_taps);
	const char *const fact[][2] = {
		{"enforced:limits", limits},
		{"enforced:scopes of systemd", d->scopes.loop ? "yes" : "no"},
		{"enforced:guests outlive qvmd", d->keep.why.code ? "no" : "yes"},
		{"enforced:uids of workers", uids},
		{"enforced:files", files},
		{"enforced:passed to guests at most", passed},
		{"enforced:commands for VMs", c->has_command_user ? "as the command-user" : "none"},
	};

	for (size_t i = 0; i < NELEMS(fact); i++)
		if (host_fact(d, fact[i][0], fact[i][1], e) < 0)
			return -1;
	return 0;
}

int host_write(struct daemon *d, const char *cgroup_why, struct err *e)
{
	char kvm[160], weaker[768], limits[LIMITS_TEXT];
	struct utsname u = {0};

	uname(&u);
	kvm_state(kvm, sizeof kvm);
	limits_offered(d, limits);
	/* Under systemd the cgroups of workers are scopes: its own is of little matter. */
	if (d->scopes.loop && cgroup_offered())
		cgroup_why = "";
	weaknesses(kvm, cgroup_why, d->keep.why.msg, weaker, sizeof weaker);
	if (weaker[0])
		log_warn(NULL, "weaker than it could be: %s", weaker);
	if (ledger_begin(d, e) < 0)
		return -1;
	if (host_fact(d, "version", QVM_VERSION, e) < 0 ||
	    host_fact(d, "hostname", u.nodename, e) < 0 ||
	    host_fact(d, "kernel", u.release, e) < 0 || host_fact(d, "kvm", kvm, e) < 0 ||
	    host_fact(d, "cgroup", d->cgroup.path, e) < 0 ||
	    host_fact(d, "limits", limits, e) < 0 ||
	    host_fact(d, "partitions", d->config.partitions, e) < 0 ||
	    host_fact(d, "weaker", weaker, e) < 0 || number(d, "pid", (uint64_t)getpid(), e) < 0 ||
	    number(d, "uid", (uint64_t)geteuid(), e) < 0 ||
	    number(d, "cpus", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN), e) < 0 ||
	    number(d, "memory_budget_bytes", d->config.memory_budget_bytes, e) < 0 ||
	    number(d, "started_ms", (uint64_t)clock_wall_ms(), e) < 0 ||
	    number(d, "boot_ms", (uint64_t)host_boot_ms(), e) < 0 || kvm_note(d, e) < 0 ||
	    note_enforced(d, limits, e) < 0) {
		ledger_abort(d);
		return -1;
	}
	return ledger_commit(d, e);
}
