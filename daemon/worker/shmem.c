/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/shmem.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/shmem.h"
#include "base/str.h"
#include "daemon/config.h"
#include "daemon/worker/resource.h"
#include "daemon/worker/scope.h"

enum { UID_OFFSET = 15 }; /* the last of those below the VMs' (vm_uid()) */

/* It has ended. */
static void reap(struct shmem *s)
{
	int code, status;

	s->source = sd_event_source_disable_unref(s->source);
	s->job = scope_cancel(s->job);
	process_reap(&s->process, &code, &status);
	log_error(NULL,
		  "the server of shared memory (qvm --shmem) has ended by %s %d: VMs keep the "
		  "regions that they have, and attach to new ones after their next start",
		  code == CLD_EXITED ? "status" : "signal", status);
}

static int on_process(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	(void)source;
	(void)fd;
	(void)events;
	reap(arg);
	return 0;
}

/* Of the one before, which serves no more, the news may not have come yet; or it is still ending. */
static int must_have_ended(struct shmem *s, struct err *e)
{
	struct pollfd p = {s->process.fd, POLLIN, 0};

	if (s->process.fd < 0)
		return 0;
	if (poll(&p, 1, 0) != 1)
		return err_set(
			e, RESOURCE,
			"the server of shared memory (qvm --shmem) is just ending: start the "
			"VM again");
	reap(s);
	return 0;
}

static void on_scope(void *arg, const struct err *why)
{
	struct shmem *s = arg;

	s->job = NULL;
	if (why)
		log_warn((&(struct log_about){.err = why}),
			 "the server of shared memory ends with this unit: %s", why->msg);
}

/* systemd shall not end it with us: its regions are those of VMs in scopes of their own. What it may
 * take is its own to keep. */
static void ask_for_scope(struct shmem *s)
{
	static const struct limits all = {
		.memory_bytes = UINT64_MAX, .cpu_weight = 100, .io_weight = 100, .pids = 16};
	struct scope_spec spec = {.vm = "shared memory", .pid = s->process.pid, .limits = &all};
	struct err e;

	if (!s->scopes->loop)
		return;
	snprintf(spec.name, sizeof spec.name, "qvmd-shmem-%" PRIu64 ".scope", s->process.start);
	if (scope_start(s->scopes, &spec, on_scope, s, &s->job, &e) < 0)
		on_scope(s, &e);
}

static int spawn(struct shmem *s, const struct config *c, int listener, struct err *e)
{
	static char name[] = "qvm", role[] = "--shmem";
	char uid[16], program[CONFIG_PROGRAM];
	char *const argv[] = {name, role, uid, NULL};

	snprintf(uid, sizeof uid, "%u", geteuid() == 0 ? c->uid_base + UID_OFFSET : 0);
	if (process_spawn(&(struct process_spec){.program = config_program(c, name, program),
						 .argv = argv,
						 .fd = &listener,
						 .n_fds = 1,
						 .words = -1,
						 .cgroup = -1},
			  &s->process, e) < 0)
		return -1;
	if (sd_event_add_io(s->loop, &s->source, s->process.fd, EPOLLIN, on_process, s) < 0)
		abort(); /* out of memory: crash-only */
	ask_for_scope(s);
	return 0;
}

static void let_go(struct shmem *s)
{
	if (s->life_fd >= 0)
		close(s->life_fd);
	s->life_fd = -1;
}

/* A connection of our own, for as long as we live. */
static int stay(struct shmem *s, const struct config *c, const char *path, struct err *e)
{
	const struct shmem_hello own = {.budget_bytes = c->shmem_budget_bytes, .rules = "/-*"};

	return s->life_fd >= 0 ? 0 : shmem_connect(path, &own, &s->life_fd, e);
}

/* Our connection waits for it before it is there: it finds somebody to stay for. */
static int start(struct shmem *s, const struct config *c, const char *path, struct err *e)
{
	AUTO_FD int listener = -1;

	if (must_have_ended(s, e) < 0)
		return -1;
	let_go(s);
	if (shmem_listen(path, &listener, e) < 0 || stay(s, c, path, e) < 0)
		return -1;
	return spawn(s, c, listener, e);
}

/* One that an earlier supervisor has left is as good as ours. */
static int make_shmem(const struct resource *r, int *ret_fd, struct err *e)
{
	struct shmem_hello hello = {.budget_bytes = r->config->shmem_budget_bytes};
	char path[CONFIG_PATH + 16];
	AUTO_FD int fd = -1;

	str_copy(hello.rules, sizeof hello.rules, r->want->path);
	snprintf(path, sizeof path, "%s/shmem.sock", r->config->run_dir);
	if (shmem_connect(path, &hello, &fd, e) < 0 &&
	    (!shmem_is_unserved(e) || start(r->shmem, r->config, path, e) < 0 ||
	     shmem_connect(path, &hello, &fd, e) < 0))
		return -1;
	if (stay(r->shmem, r->config, path, e) < 0)
		return -1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The rules are the worker's word. */
static int probe_shmem(const struct resource *r, struct err *e)
{
	if (!shmem_are_rules(r->want->path))
		return err_set(e, PROTOCOL, "rules for shared memory that are none");
	return 0;
}

const struct resource_kind shmem_kind = {probe_shmem, NULL, make_shmem};

void shmem_init(struct shmem *s, struct scopes *scopes)
{
	*s = (struct shmem){.scopes = scopes, .process = {.fd = -1}, .life_fd = -1};
}

void shmem_close(struct shmem *s)
{
	let_go(s);
	s->job = scope_cancel(s->job);
	s->source = sd_event_source_disable_unref(s->source);
	if (s->process.fd >= 0)
		close(s->process.fd);
	shmem_init(s, NULL);
}
