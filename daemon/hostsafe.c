/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/hostsafe.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/daemon.h"
#include "daemon/notify.h"
#include "daemon/shutdown.h"
#include "daemon/store/event.h"
#include "daemon/timer.h"
#include "daemon/vm/life.h"
#include "daemon/vm/pair.h"

enum { PERIOD_MS = 2000, FEEDS = 3 /* within the time of systemd's watchdog */ };
enum { CUT_MS = 2000, FENCE_MS = 3000 };

/* The lock that is held still lies in the folder of that name. */
static bool is_in_place(const char *folder, int lock)
{
	char path[CONFIG_PATH + 16];
	struct stat there, held;

	snprintf(path, sizeof path, "%s/qvmd.lock", folder);
	return stat(path, &there) == 0 && fstat(lock, &held) == 0 && there.st_dev == held.st_dev &&
	       there.st_ino == held.st_ino;
}

static bool is_writable(const char *folder)
{
	struct statvfs v;

	return access(folder, W_OK) == 0 && statvfs(folder, &v) == 0 && !(v.f_flag & ST_RDONLY);
}

static bool has_kvm(void)
{
	AUTO_FD int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	/* Out of descriptors is no answer of KVM's. */
	if (fd < 0)
		return errno == EMFILE || errno == ENFILE;
	return ioctl(fd, KVM_GET_API_VERSION, 0) == KVM_API_VERSION;
}

static enum ground look(struct daemon *d)
{
	const struct ground_sight s = {
		.has_state_dir = is_in_place(d->config.state_dir, d->state_lock),
		.can_write_state = is_writable(d->config.state_dir),
		.is_store_damaged = d->store.is_damaged,
		.is_store_failing = d->ledger.is_failing,
		.is_store_busy = d->store.is_busy,
		.has_run_dir = is_in_place(d->config.run_dir, d->run_lock),
		.has_kvm = has_kvm(),
		.wall_ms = clock_wall_ms(),
		.boot_ms = clock_boot_ms(),
	};

	return d->hostsafe.last = ground_judge(&d->hostsafe.watch, &s);
}

static void tell(struct daemon *d, enum journal kind, uint64_t request, const char *text)
{
	struct event ev = event_make(kind, "", "%s", text);

	ev.request = request;
	ledger_event(d, &ev);
	notify_status(d);
	frontdoor_host(d);
}

/* As at the host's shutdown, one step after the other; what ran is started again at the release. */
static int on_stop_stage(sd_event_source *s, uint64_t us, void *arg)
{
	static void (*const stage[])(struct daemon * d) = {shutdown_press, shutdown_cut,
							   shutdown_fence};
	struct daemon *d = arg;
	struct hostsafe *h = &d->hostsafe;
	uint64_t bound_ms[] = {d->config.shutdown_grace_ms, CUT_MS, FENCE_MS};

	(void)s;
	(void)us;
	if (h->stop_stage == NELEMS(stage) || d->is_ending)
		return 0;
	stage[h->stop_stage](d);
	timer_set(d->loop, &h->stopper, bound_ms[h->stop_stage++], on_stop_stage, d);
	return 0;
}

static void enter(struct daemon *d, enum ground reason)
{
	struct hostsafe *h = &d->hostsafe;
	char text[320];

	h->reason = reason;
	h->since_ms = clock_wall_ms();
	snprintf(text, sizeof text,
		 "the host is in its safe state: %s; no VM is started, those that run are %s until "
		 "`qvmadm host release`: %s",
		 ground_what(reason), d->config.stops_on_host_fault ? "stopped" : "kept",
		 ground_mend(reason));
	tell(d, JOURNAL_HOST_SAFE, 0, text);
	if (d->config.stops_on_host_fault) {
		h->stop_stage = 0;
		on_stop_stage(NULL, 0, d);
	}
}

static int on_tick(sd_event_source *s, uint64_t us, void *arg)
{
	struct daemon *d = arg;
	struct hostsafe *h = &d->hostsafe;
	enum ground found = look(d);

	(void)s;
	(void)us;
	if (found != GROUND_HOLDS && h->reason == GROUND_HOLDS && !d->is_ending)
		enter(d, found);
	if (found == GROUND_HOLDS && h->feeds_watchdog)
		sd_notify(0, "WATCHDOG=1");
	timer_set(d->loop, &h->tick, h->period_ms, on_tick, d);
	return 0;
}

void hostsafe_open(struct daemon *d)
{
	struct hostsafe *h = &d->hostsafe;
	uint64_t watchdog_us = 0;

	h->period_ms = PERIOD_MS;
	h->feeds_watchdog = sd_watchdog_enabled(0, &watchdog_us) > 0;
	if (h->feeds_watchdog && watchdog_us / 1000 / FEEDS < h->period_ms)
		h->period_ms = watchdog_us / 1000 / FEEDS;
	on_tick(NULL, 0, d);
}

void hostsafe_close(struct daemon *d)
{
	timer_clear(&d->hostsafe.tick);
	timer_clear(&d->hostsafe.stopper);
}

int hostsafe_must_not(const struct daemon *d, struct err *e)
{
	if (d->hostsafe.reason == GROUND_HOLDS)
		return 0;
	return err_set(e, HOST, "the host is in its safe state and starts no VM: %s",
		       ground_what(d->hostsafe.reason));
}

/* What the safe state has stopped or held up. */
static void go_on(struct daemon *d)
{
	for (size_t i = 0; i < d->vms.n; i++) {
		struct vm *v = d->vms.vm[i];

		if (v->row.desired == DESIRED_STOPPED || v->worker)
			continue;
		if (v->row.restart_at_ms)
			life_start_at(d, v, v->row.restart_at_ms);
		else if (v->row.cause == CAUSE_HOST_SHUTDOWN)
			life_start_at(d, v, 0);
	}
	pair_step(d);
}

int hostsafe_release(struct daemon *d, uint64_t request, struct err *e)
{
	struct hostsafe *h = &d->hostsafe;
	enum ground found;

	if (h->reason == GROUND_HOLDS)
		return 0;
	if (d->store.db && d->ledger.is_failing)
		ledger_flush(d);
	found = look(d);
	if (found != GROUND_HOLDS)
		return err_set(e, HOST, "the host stays in its safe state: %s; %s",
			       ground_what(found), ground_mend(found));
	timer_clear(&h->stopper);
	h->reason = GROUND_HOLDS;
	h->since_ms = 0;
	h->stop_stage = 0;
	tell(d, JOURNAL_HOST_RELEASED, request,
	     "an operator has released the host from its safe state: VMs may start");
	go_on(d);
	return 0;
}
