/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config.h"

#include <ctype.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"
#include "base/trust.h"
#include "daemon/allow.h"

enum { LINE = 1024 };

/* A setter gets a value without surrounding blanks. */
typedef int setter(struct config *c, const char *value, struct err *e);

static int set_path(char *dst, const char *key, const char *value, struct err *e)
{
	if (value[0] != '/')
		return err_set(e, INVALID, "%s is '%s': write an absolute path", key, value);
	if (!str_copy(dst, CONFIG_PATH, value))
		return err_set(e, INVALID, "%s is longer than %d bytes", key, CONFIG_PATH - 1);
	return 0;
}

static int set_number(uint64_t *dst, const char *key, const char *value, uint64_t most,
		      struct err *e)
{
	char *end;
	unsigned long long n;
	unsigned shift = 0;
	const char *unit;

	errno = 0;
	n = strtoull(value, &end, 10);
	if (*end && (unit = strchr("kmgt", tolower((unsigned char)*end))) && !end[1]) {
		shift = (unsigned)(unit - "kmgt" + 1) * 10;
		end++;
	}
	if (!isdigit((unsigned char)value[0]) || *end || errno || n > most >> shift)
		return err_set(e, INVALID, "%s is '%s': write a number from 0 to %llu", key, value,
			       (unsigned long long)most);
	*dst = (uint64_t)n << shift;
	return 0;
}

static int set_state_dir(struct config *c, const char *value, struct err *e)
{
	return set_path(c->state_dir, "state-dir", value, e);
}

static int set_run_dir(struct config *c, const char *value, struct err *e)
{
	return set_path(c->run_dir, "run-dir", value, e);
}

static int set_program_dir(struct config *c, const char *value, struct err *e)
{
	return set_path(c->program_dir, "program-dir", value, e);
}

static int set_listen(struct config *c, const char *value, struct err *e)
{
	if (!str_copy(c->listen, sizeof c->listen, value))
		return err_set(e, INVALID, "listen is longer than %d bytes", CONFIG_LISTEN - 1);
	return 0;
}

static int set_tls_certificate(struct config *c, const char *value, struct err *e)
{
	return set_path(c->tls_certificate, "tls-certificate", value, e);
}

static int set_tls_key(struct config *c, const char *value, struct err *e)
{
	return set_path(c->tls_key, "tls-key", value, e);
}

static int set_tls_client_ca(struct config *c, const char *value, struct err *e)
{
	return set_path(c->tls_client_ca, "tls-client-ca", value, e);
}

static int set_vdev_folder(struct config *c, const char *value, struct err *e)
{
	return set_path(c->vdev_folder, "vdev-folder", value, e);
}

static int add_allow(struct config *c, const char *value, struct err *e)
{
	if (allow_one_more(c->n_allows, "allow", e) < 0)
		return -1;
	if (set_path(c->allow[c->n_allows], "allow", value, e) < 0)
		return -1;
	c->n_allows++;
	return 0;
}

static int add_allow_pass(struct config *c, const char *value, struct err *e)
{
	if (allow_one_more(c->n_allow_passes, "allow-pass", e) < 0)
		return -1;
	if (set_path(c->allow_pass[c->n_allow_passes], "allow-pass", value, e) < 0)
		return -1;
	c->n_allow_passes++;
	return 0;
}

static int set_uid_base(struct config *c, const char *value, struct err *e)
{
	uint64_t n = 0;

	/* Above it there must be room for a uid per VM. */
	if (set_number(&n, "worker-uid-base", value, UINT32_MAX - (1u << 24), e) < 0)
		return -1;
	c->uid_base = (uint32_t)n;
	return 0;
}

static int set_scopes(struct config *c, const char *value, struct err *e)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return err_set(e, INVALID, "scopes is '%s': write yes or no", value);
	c->scopes = !strcmp(value, "yes");
	return 0;
}

static int set_memory_budget(struct config *c, const char *value, struct err *e)
{
	return set_number(&c->memory_budget_bytes, "memory-budget", value, UINT64_MAX >> 1, e);
}

static int set_shmem_budget(struct config *c, const char *value, struct err *e)
{
	return set_number(&c->shmem_budget_bytes, "shmem-budget", value, UINT64_MAX >> 1, e);
}

static int set_shutdown_grace(struct config *c, const char *value, struct err *e)
{
	return set_number(&c->shutdown_grace_ms, "shutdown-grace-ms", value, 3600000, e);
}

static int set_on_host_fault(struct config *c, const char *value, struct err *e)
{
	c->stops_on_host_fault = !strcmp(value, "stop");
	if (c->stops_on_host_fault || !strcmp(value, "keep"))
		return 0;
	return err_set(e, INVALID, "on-host-fault is '%s': write keep or stop", value);
}

static int set_on_exit(struct config *c, const char *value, struct err *e)
{
	c->leaves_vms = !strcmp(value, "leave");
	if (!c->leaves_vms && strcmp(value, "stop") != 0)
		return err_set(e, INVALID, "on-exit is '%s': write `stop` or `leave`", value);
	return 0;
}

static int set_incident_keep(struct config *c, const char *value, struct err *e)
{
	return set_number(&c->incident_keep, "incident-keep", value, 100000, e);
}

static int set_incident_days(struct config *c, const char *value, struct err *e)
{
	return set_number(&c->incident_days, "incident-days", value, 36500, e);
}

static int set_dump_keep(struct config *c, const char *value, struct err *e)
{
	return set_number(&c->dump_keep, "dump-keep", value, 1000, e);
}

static int set_dump_space(struct config *c, const char *value, struct err *e)
{
	return set_number(&c->dump_space_bytes, "dump-space", value, UINT64_MAX >> 1, e);
}

static int set_max_priority(struct config *c, const char *value, struct err *e)
{
	return set_number(&c->max_priority, "max-priority", value, 99, e);
}

static int find_user(const char *key, const char *value, bool *ret_has, struct command_user *ret,
		     struct err *e)
{
	const struct passwd *p = getpwnam(value);

	if (!p)
		return err_set(e, INVALID, "%s is '%s': this host has no such user", key, value);
	if (geteuid() != 0 && p->pw_uid != geteuid())
		return err_set(e, INVALID,
			       "%s is '%s': a supervisor without root's rights runs commands as "
			       "its own user only",
			       key, value);
	*ret_has = true;
	/* Its own user: nothing is to be changed. */
	if (p->pw_uid != geteuid())
		*ret = (struct command_user){p->pw_uid, p->pw_gid};
	return 0;
}

static int set_command_user(struct config *c, const char *value, struct err *e)
{
	return find_user("command-user", value, &c->has_command_user, &c->command_user, e);
}

static int set_hook_user(struct config *c, const char *value, struct err *e)
{
	return find_user("hook-user", value, &c->has_hook_user, &c->hook_user, e);
}

static int set_hook_folder(struct config *c, const char *value, struct err *e)
{
	return set_path(c->hook_folder, "hook-folder", value, e);
}

static int set_hook_timeout(struct config *c, const char *value, struct err *e)
{
	return set_number(&c->hook_timeout_ms, "hook-timeout-ms", value, 600000, e);
}

static int set_requests_per_second(struct config *c, const char *value, struct err *e)
{
	return set_number(&c->requests_per_s, "requests-per-second", value, 100000, e);
}

static int set_request_burst(struct config *c, const char *value, struct err *e)
{
	uint64_t n = 0;

	if (set_number(&n, "request-burst", value, 1000000, e) < 0)
		return -1;
	if (n == 0)
		return err_set(e, INVALID,
			       "request-burst is 0: write a number from 1 to 1000000; no limit is "
			       "requests-per-second = 0");
	c->request_burst = n;
	return 0;
}

static const struct {
	const char *key;
	setter *set;
} keys[] = {
	{"state-dir", set_state_dir},
	{"run-dir", set_run_dir},
	{"program-dir", set_program_dir},
	{"allow", add_allow},
	{"allow-pass", add_allow_pass},
	{"allow-tap", allow_tap},
	{"allow-pci", allow_pci},
	{"allow-uio", allow_uio},
	{"allow-memory", allow_memory},
	{"allow-ports", allow_ports},
	{"worker-uid-base", set_uid_base},
	{"memory-budget", set_memory_budget},
	{"shutdown-grace-ms", set_shutdown_grace},
	{"max-priority", set_max_priority},
	{"dump-keep", set_dump_keep},
	{"dump-space", set_dump_space},
	{"command-user", set_command_user},
	{"hook-user", set_hook_user},
	{"hook-folder", set_hook_folder},
	{"hook-timeout-ms", set_hook_timeout},
	{"vdev-folder", set_vdev_folder},
	{"listen", set_listen},
	{"tls-certificate", set_tls_certificate},
	{"tls-key", set_tls_key},
	{"tls-client-ca", set_tls_client_ca},
	{"requests-per-second", set_requests_per_second},
	{"request-burst", set_request_burst},
	{"scopes", set_scopes},
	{"on-exit", set_on_exit},
	{"shmem-budget", set_shmem_budget},
	{"on-host-fault", set_on_host_fault},
	{"incident-keep", set_incident_keep},
	{"incident-days", set_incident_days},
};

int config_set(struct config *c, const char *key, const char *value, struct err *e)
{
	const char *nearest = keys[0].key;

	if (!strncmp(key, "cluster ", 8))
		return cpulist_add_cluster(c->clusters, key + 8 + strspn(key + 8, " "), value, e);
	if (!strncmp(key, "partition ", 10))
		return partition_add(c->partitions, key + 10 + strspn(key + 10, " "), value, e);
	for (size_t i = 0; i < NELEMS(keys); i++) {
		if (!strcmp(keys[i].key, key))
			return keys[i].set(c, value, e);
		if (str_distance(key, keys[i].key) < str_distance(key, nearest))
			nearest = keys[i].key;
	}
	return err_set(e, INVALID, "there is no setting '%s'; did you mean '%s'?", key, nearest);
}

void config_defaults(struct config *c)
{
	*c = (struct config){
		.state_dir = "/var/lib/qvm",
		.run_dir = "/run/qvm",
		.uid_base = 1900000000,
		.requests_per_s = 200,
		.request_burst = 2000,
		.scopes = true,
		.dump_keep = 5,
		.incident_keep = 100,
		.dump_space_bytes = UINT64_C(16) << 30,
		.shutdown_grace_ms = 10000,
		.hook_timeout_ms = 10000,
		.shmem_budget_bytes = UINT64_C(256) << 20,
	};
}

static char *trim(char *s)
{
	size_t n;

	while (isspace((unsigned char)*s))
		s++;
	for (n = strlen(s); n && isspace((unsigned char)s[n - 1]); n--)
		s[n - 1] = '\0';
	return s;
}

static int read_line(struct config *c, char *line, struct err *e)
{
	char *equals, *hash = strchr(line, '#');

	if (hash)
		*hash = '\0';
	line = trim(line);
	if (!*line)
		return 0;
	equals = strchr(line, '=');
	if (!equals)
		return err_set(e, INVALID, "'%s' has no `=`: write `key = value`", line);
	*equals = '\0';
	return config_set(c, trim(line), trim(equals + 1), e);
}

int config_read(struct config *c, const char *path, bool must_exist, struct err *e)
{
	AUTO_FILE FILE *f = fopen(path, "re");
	char line[LINE];

	if (!f && errno == ENOENT && !must_exist)
		return 0;
	if (!f)
		return err_sys(e, INVALID, "read the settings '%s'", path);
	for (int n = 1; fgets(line, sizeof line, f); n++) {
		struct err cause;

		if (!strchr(line, '\n') && !feof(f))
			return err_set(e, INVALID, "%s:%d: the line is longer than %d bytes", path,
				       n, LINE - 2);
		if (read_line(c, line, &cause) < 0)
			return err_set(e, INVALID, "%s:%d: %s", path, n, cause.msg);
	}
	return ferror(f) ? err_sys(e, INVALID, "read the settings '%s'", path) : 0;
}

/* Beside qvmd when it runs from a build folder, else where packages put them. */
static int find_programs(struct config *c, struct err *e)
{
	char self[CONFIG_PATH], worker[CONFIG_PATH + 8];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (n <= 0)
		return err_sys(e, INTERNAL, "find the folder of this program");
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return err_set(e, INTERNAL, "the path of this program is '%s'", self);
	*slash = '\0';
	snprintf(worker, sizeof worker, "%s/qvm-api", self);
	if (access(worker, X_OK) == 0)
		str_copy(c->program_dir, sizeof c->program_dir, self);
	/* PREFIX/sbin */
	str_copy(c->prefix, sizeof c->prefix, self);
	if ((slash = strrchr(c->prefix, '/')))
		*slash = '\0';
	return 0;
}

const char *config_program(const struct config *c, const char *name,
			   char ret[static CONFIG_PROGRAM])
{
	if (c->program_dir[0])
		snprintf(ret, CONFIG_PROGRAM, "%s/%s", c->program_dir, name);
	else
		snprintf(ret, CONFIG_PROGRAM, "%s/%s/%s", c->prefix,
			 !strcmp(name, "qvm") ? "bin" : "libexec/qvm", name);
	return ret;
}

/* Whole MiB: the number is shown to people. */
static uint64_t host_memory_bytes(void)
{
	uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

	return bytes >> 20 << 20;
}

int config_open_vdevs(const struct config *c, struct err *e)
{
	const char *path = c->vdev_folder[0] ? c->vdev_folder : "/usr/lib/qvm/vdev";
	int fd = trust_open_folder(path, e);

	if (fd < 0 && !c->vdev_folder[0] && e->os_errno == ENOENT)
		e->code = ERR_OK;
	return fd;
}

/* Opened anew for each worker; what is wrong now is said now. */
static int check_vdevs(const struct config *c, struct err *e)
{
	AUTO_FD int fd = config_open_vdevs(c, e);

	return fd < 0 && e->code ? err_wrap(e, "`vdev-folder` of the settings") : 0;
}

int config_finish(struct config *c, struct err *e)
{
	if (check_vdevs(c, e) < 0)
		return -1;
	if (c->n_allows == 0 && add_allow(c, "/", e) < 0)
		return -1;
	for (unsigned i = 0; i < c->n_allows; i++) {
		char real[PATH_MAX];

		if (!realpath(c->allow[i], real))
			return err_sys(e, INVALID, "find the folder of `allow = %s`", c->allow[i]);
		if (!str_copy(c->allow[i], CONFIG_PATH, real))
			return err_set(e, INVALID, "the folder '%s' is longer than %d bytes", real,
				       CONFIG_PATH - 1);
	}
	if (c->memory_budget_bytes == 0)
		c->memory_budget_bytes = host_memory_bytes();
	return c->program_dir[0] ? 0 : find_programs(c, e);
}
