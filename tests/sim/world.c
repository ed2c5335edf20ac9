/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/world.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/host.h"
#include "daemon/vm/life.h"
#include "daemon/vm/pair.h"
#include "daemon/notify.h"
#include "daemon/worker/process.h"
#include "daemon/vm/recover.h"
#include "daemon/shutdown.h"
#include "daemon/timer.h"
#include "daemon/worker/worker.h"

enum { BOOT_MS = 1000, EPOCH_MS = 1000000 };

struct world world;

/* --- the clock, instead of base/clock.c --- */

static uint64_t now_ms = EPOCH_MS;

uint64_t world_now_ms(void)
{
	return now_ms - EPOCH_MS;
}

uint64_t clock_mono_ns(void)
{
	return now_ms * 1000000;
}

uint64_t clock_mono_ms(void)
{
	return now_ms;
}

int64_t clock_wall_ms(void)
{
	return (int64_t)now_ms + world.clock_step_ms;
}

int64_t host_boot_ms(void)
{
	return BOOT_MS + world.clock_step_ms; /* it is counted back from the clock */
}

int host_boot_id(char ret[static HOST_BOOT], struct err *e)
{
	(void)e;
	snprintf(ret, HOST_BOOT, "boot-%u", world.n_boots);
	return 0;
}

/* --- timers on it, instead of daemon/timer.c --- */

struct node {
	struct node *next;
	sd_event_source **slot;
	uint64_t at_ms, order;
	sd_event_time_handler_t fn;
	void *arg;
};

static struct node *timers;
static uint64_t n_timers;

void timer_set(sd_event *loop, sd_event_source **t, uint64_t delay_ms, sd_event_time_handler_t fn,
	       void *arg)
{
	struct node *n = calloc(1, sizeof *n);

	(void)loop;
	timer_clear(t);
	if (!n)
		abort();
	*n = (struct node){timers, t, now_ms + delay_ms, n_timers++, fn, arg};
	timers = n;
	*t = (sd_event_source *)n;
}

void timer_clear(sd_event_source **t)
{
	for (struct node **p = &timers; *p; p = &(*p)->next) {
		struct node *n = *p;

		if (n->slot != t)
			continue;
		*p = n->next;
		free(n);
		*t = NULL;
		return;
	}
	*t = sd_event_source_disable_unref(*t); /* one of the loop's own */
}

static struct node *earliest(uint64_t until_ms)
{
	struct node *best = NULL;

	for (struct node *n = timers; n; n = n->next)
		if (n->at_ms <= until_ms && (!best || n->at_ms < best->at_ms ||
					     (n->at_ms == best->at_ms && n->order < best->order)))
			best = n;
	return best;
}

void world_wait(uint64_t ms)
{
	uint64_t until_ms = now_ms + ms;
	struct node *n;

	while ((n = earliest(until_ms))) {
		sd_event_time_handler_t fn = n->fn;
		void *arg = n->arg;

		if (n->at_ms > now_ms)
			now_ms = n->at_ms;
		timer_clear(n->slot);
		fn(NULL, 0, arg);
	}
	now_ms = until_ms;
}

/* --- what else stands at the edge --- */

void watch_begin(struct daemon *d, struct vm *v, uint64_t when_ms)
{
	const struct health_verdict well = {.process = HEALTH_HEALTHY, .worker = HEALTH_HEALTHY};

	(void)d;
	(void)when_ms;
	record_health(&v->row, &well);
}

int hostsafe_must_not(const struct daemon *d, struct err *e)
{
	if (d->hostsafe.reason == GROUND_HOLDS)
		return 0;
	return err_set(e, HOST, "the host is in its safe state");
}

void hook_event(struct daemon *d, const struct event *ev)
{
	(void)d;
	(void)ev;
}

void frontdoor_changed(struct daemon *d)
{
	(void)d;
}

void frontdoor_box(struct daemon *d, const struct vm *v)
{
	(void)d;
	(void)v;
}

void frontdoor_box_gone(struct daemon *d, const char *vm)
{
	(void)d;
	(void)vm;
}

void notify_status(const struct daemon *d)
{
	(void)d;
}

void daemon_check_end(struct daemon *d)
{
	(void)d;
}

void shutdown_dump_over(struct daemon *d)
{
	(void)d;
}

void cgroup_sweep(const struct cgroup *c, bool (*is_spared)(void *arg, const char *folder),
		  void *arg)
{
	(void)c;
	(void)is_spared;
	(void)arg;
}

/* What is not adopted has gone when the next supervisor looks. */
int process_find(pid_t pid, uint64_t start, struct process *ret, struct err *e)
{
	(void)pid;
	(void)start;
	(void)ret;
	(void)e;
	return 0;
}

/* No guest of this world ever ran: none is dumped. */
int process_spawn(const struct process_spec *s, struct process *ret, struct err *e)
{
	(void)ret;
	return err_set(e, RESOURCE, "there is no '%s' in this world", s->program);
}

int process_fork(void (*run)(int link, const void *arg), const void *arg, const int *fd, unsigned n,
		 struct process *ret, struct err *e)
{
	(void)run, (void)arg, (void)fd, (void)n, (void)ret;
	return err_set(e, RESOURCE, "there are no children in this world");
}

void process_reap(struct process *p, int *ret_code, int *ret_status)
{
	*p = (struct process){.fd = -1};
	*ret_code = *ret_status = 0;
}

void process_kill(const struct process *p)
{
	(void)p;
}

/* --- the supervisor as a whole --- */

static void begin(void)
{
	struct err e;

	world.d = (struct daemon){.state_lock = -1, .run_lock = -1, .cgroup.fd = -1};
	if (sd_event_new(&world.d.loop) < 0 ||
	    store_open(&world.d.store, world.path, (gid_t)-1, &e) < 0 ||
	    host_boot_id(world.d.boot, &e) < 0 || ledger_open(&world.d, &e) < 0 ||
	    recover_load(&world.d, &e) < 0)
		world_broken(__FILE__, __LINE__, e.msg);
	recover_run(&world.d, NULL);
}

/* Whatever the ledger still holds is gone with the process. */
static void drop(void)
{
	for (size_t i = 0; i < world.d.vms.n; i++)
		world.d.vms.vm[i]->worker = NULL;
	ledger_drop(&world.d);
	vm_clear(&world.d.vms);
	while (timers)
		timer_clear(timers->slot);
	store_close(&world.d.store);
	sd_event_unref(world.d.loop);
}

void world_open(void)
{
	now_ms = EPOCH_MS;
	n_timers = 0;
	world = (struct world){0};
	str_copy(world.folder, sizeof world.folder, "/dev/shm/qvm-sim-XXXXXX");
	if (!mkdtemp(world.folder))
		world_broken(__FILE__, __LINE__, "a folder in /dev/shm");
	snprintf(world.path, sizeof world.path, "%s/state.db", world.folder);
	begin();
}

void world_crash(void)
{
	drop();
	world_bury();
	world.is_disk_full = false;
	begin();
}

static void end_workers(void)
{
	while (world.n_workers)
		worker_free(world.worker[--world.n_workers]);
}

void world_reboot(void)
{
	world.n_boots++;
	drop();
	end_workers();
	world.is_disk_full = false;
	begin();
}

void world_close(void)
{
	static const char *const suffix[] = {"", "-wal", "-shm"};
	char path[112];

	drop();
	end_workers();
	for (size_t i = 0; i < NELEMS(suffix); i++) {
		snprintf(path, sizeof path, "%s%s", world.path, suffix[i]);
		unlink(path);
	}
	rmdir(world.folder);
}

void world_disk(bool is_full)
{
	world.is_disk_full = is_full;
	sqlite3_exec(world.d.store.db,
		     is_full ? "PRAGMA query_only = ON" : "PRAGMA query_only = OFF", NULL, NULL,
		     NULL);
}

bool world_define(const char *vm, const struct policy *p)
{
	struct daemon *d = &world.d;
	struct vm *v = vm_find(&d->vms, vm);
	struct record row = {.created_ms = clock_wall_ms(), .since_ms = clock_wall_ms()};
	struct err e;

	if (v)
		row = v->row;
	str_copy(row.name, sizeof row.name, vm);
	if (pair_check(d, vm, v, p, &e) < 0)
		return false;
	row.revision++;
	if (!p->standby[0])
		row.pair = PAIR_ACTIVE;
	if (ledger_begin(d, &e) < 0)
		return false;
	if ((v ? record_update(&d->store, &row, &e) : record_insert(&d->store, &row, &e)) < 0 ||
	    record_add_revision(&d->store,
				&(struct record_revision){.vm = row.id,
							  .revision = row.revision,
							  .config = "ram 1m\n",
							  .bytes = 7,
							  .folder = "",
							  .policy = p,
							  .identity = "",
							  .op = OP_vm_put},
				&e) < 0) {
		ledger_abort(d);
		return false;
	}
	if (ledger_commit(d, &e) < 0)
		return false;
	if (v)
		v->row = row;
	else
		v = vm_add(&d->vms, d, &row);
	v->policy = *p;
	pair_step(d);
	return true;
}

void world_broken(const char *file, int line, const char *what)
{
	printf("%s:%d: broken at %llu ms: %s\n", file, line, (unsigned long long)world_now_ms(),
	       what);
	fflush(stdout);
	abort();
}
