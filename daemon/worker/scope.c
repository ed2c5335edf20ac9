/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/scope.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/timer.h"

#define MANAGER                                                                                    \
	"org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"

enum { JOB_PATH = 96, STOP_US = 30000000 /* from SIGTERM, the power button, to SIGKILL */ };

struct scope_job {
	struct scopes *scopes;
	struct scope_job *next;
	scope_fn *done;
	void *arg;
	char vm[NAME_CAP], path[JOB_PATH]; /* of the job; "" = the call is not answered yet */
	sd_bus_slot *call;
	sd_event_source *bound;
};

static void forget(struct scope_job *j)
{
	for (struct scope_job **p = &j->scopes->first; *p; p = &(*p)->next) {
		if (*p != j)
			continue;
		*p = j->next;
		break;
	}
	sd_bus_slot_unref(j->call);
	timer_clear(&j->bound);
	free(j);
}

struct scope_job *scope_cancel(struct scope_job *j)
{
	if (j)
		forget(j);
	return NULL;
}

static void finish(struct scope_job *j, const struct err *why)
{
	scope_fn *done = j->done;
	void *arg = j->arg;

	forget(j);
	done(arg, why);
}

static void leave_bus(struct scopes *s)
{
	if (!s->bus)
		return;
	sd_bus_detach_event(s->bus);
	s->bus = sd_bus_close_unref(s->bus);
}

static int on_bound(sd_event_source *t, uint64_t us, void *arg)
{
	struct scope_job *j = arg;
	struct err e;

	(void)t;
	(void)us;
	err_set(&e, TIMEOUT, "systemd has not made a scope for '%s' within %d ms", j->vm,
		SCOPE_BOUND_MS);
	finish(j, &e);
	return 0;
}

static int on_answer(sd_bus_message *m, void *arg, sd_bus_error *ret)
{
	struct scope_job *j = arg;
	const sd_bus_error *wrong = sd_bus_message_get_error(m);
	const char *path;
	struct err e;

	(void)ret;
	if (wrong) {
		err_set(&e, RESOURCE, "systemd refuses a scope for '%s': %.160s", j->vm,
			wrong->message ? wrong->message : wrong->name);
		finish(j, &e);
	} else if (sd_bus_message_read(m, "o", &path) < 0 ||
		   !str_copy(j->path, sizeof j->path, path)) {
		err_set(&e, RESOURCE, "systemd answers with no job for the scope of '%s'", j->vm);
		finish(j, &e);
	}
	return 0;
}

static int on_job_removed(sd_bus_message *m, void *arg, sd_bus_error *ret)
{
	struct scopes *s = arg;
	const char *path, *unit, *result;
	struct scope_job *j;
	uint32_t id;
	struct err e;

	(void)ret;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
		return 0;
	for (j = s->first; j && strcmp(j->path, path) != 0; j = j->next)
		;
	if (!j)
		return 0;
	if (!strcmp(result, "done")) {
		finish(j, NULL);
		return 0;
	}
	err_set(&e, RESOURCE, "systemd could not start %.80s: %.40s", unit, result);
	finish(j, &e);
	return 0;
}

/* systemd or its bus is restarted, or gone. */
static int on_disconnected(sd_bus_message *m, void *arg, sd_bus_error *ret)
{
	struct scopes *s = arg;
	struct err e;

	(void)m;
	(void)ret;
	leave_bus(s);
	err_set(&e, RESOURCE, "the system bus was lost");
	while (s->first)
		finish(s->first, &e);
	return 0;
}

static int connect_bus(struct scopes *s, struct err *e)
{
	int r;

	if (s->bus)
		return 0;
	r = sd_bus_open_system(&s->bus);
	if (r >= 0)
		r = sd_bus_attach_event(s->bus, s->loop, SD_EVENT_PRIORITY_NORMAL);
	/* Both are asked for, not waited for; what is sent after them is handled after them. */
	if (r >= 0)
		r = sd_bus_match_signal_async(s->bus, NULL, MANAGER, "JobRemoved", on_job_removed,
					      NULL, s);
	if (r >= 0)
		r = sd_bus_match_signal_async(
			s->bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
			"org.freedesktop.DBus.Local", "Disconnected", on_disconnected, NULL, s);
	if (r >= 0)
		return 0;
	leave_bus(s);
	errno = -r;
	return err_sys(e, RESOURCE, "reach systemd over the system bus");
}

/* systemd looks at the path itself; that of a device never waits. */
static int append_devices(sd_bus_message *m, const char *property, uint64_t most,
			  const struct limits_disks *d)
{
	int r = most ? sd_bus_message_open_container(m, 'r', "sv") : 0;

	if (r < 0 || !most)
		return r;
	r = sd_bus_message_append(m, "s", property);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "a(st)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(st)");
	for (unsigned i = 0; i < d->n && r >= 0; i++) {
		char path[48];

		snprintf(path, sizeof path, "/dev/block/%u:%u", major(d->device[i]),
			 minor(d->device[i]));
		r = sd_bus_message_append(m, "(st)", path, most);
	}
	for (int depth = 0; depth < 3 && r >= 0; depth++)
		r = sd_bus_message_close_container(m);
	return r;
}

static int append_io_max(sd_bus_message *m, const struct limits *l)
{
	const struct {
		const char *property;
		uint64_t most;
	} io[] = {
		{"IOReadBandwidthMax", l->read_bytes},
		{"IOWriteBandwidthMax", l->write_bytes},
		{"IOReadIOPSMax", l->reads},
		{"IOWriteIOPSMax", l->writes},
	};
	int r = 0;

	for (size_t i = 0; i < NELEMS(io) && l->disks.n && r >= 0; i++)
		r = append_devices(m, io[i].property, io[i].most, &l->disks);
	return r;
}

static int append_limits(sd_bus_message *m, const struct limits *l)
{
	int r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)(sv)(sv)(sv)(sv)", "MemoryAccounting",
				      "b", 1, "MemoryMax", "t", l->memory_bytes, "TasksAccounting",
				      "b", 1, "TasksMax", "t", l->pids, "CPUAccounting", "b", 1,
				      "CPUWeight", "t", l->cpu_weight, "IOAccounting", "b", 1,
				      "IOWeight", "t", l->io_weight);

	if (r >= 0)
		r = append_io_max(m, l);
	if (r < 0 || !l->cpu_quota_us)
		return r;
	return sd_bus_message_append(m, "(sv)(sv)", "CPUQuotaPerSecUSec", "t",
				     l->cpu_quota_us * 1000000 / l->cpu_period_us,
				     "CPUQuotaPeriodUSec", "t", l->cpu_period_us);
}

/* Stopped after qvmd when the host shuts down: Before= is the other way round at a stop. */
static int append_unit(sd_bus_message *m, const struct scope_spec *s)
{
	char description[NAME_CAP + 24], slice[SCOPE_NAME] = SCOPE_SLICE;

	snprintf(description, sizeof description, "virtual machine %s", s->vm);
	if (s->partition)
		scope_slice(s->partition, slice);
	return sd_bus_message_append(m, "(sv)(sv)(sv)(sv)(sv)(sv)", "Description", "s", description,
				     "PIDs", "au", 1, (uint32_t)s->pid, "Slice", "s", slice,
				     "CollectMode", "s", "inactive-or-failed", "Before", "as", 1,
				     "qvmd.service", "TimeoutStopUSec", "t", (uint64_t)STOP_US);
}

const char *scope_slice(const struct partition *p, char ret[static SCOPE_NAME])
{
	snprintf(ret, SCOPE_NAME, "qvm-%s.slice", p->name);
	return ret;
}

static int on_budget(sd_bus_message *m, void *arg, sd_bus_error *ret)
{
	const sd_bus_error *wrong = sd_bus_message_get_error(m);

	(void)arg;
	(void)ret;
	if (wrong)
		log_warn(NULL, "systemd refuses the budget of a partition: %.160s",
			 wrong->message ? wrong->message : wrong->name);
	return 0;
}

/* Until the host is booted anew, whoever is in the slice. What is asked for next is done after it. */
static int set_budget(struct scopes *s, const struct partition *p)
{
	char slice[SCOPE_NAME];

	return sd_bus_call_method_async(s->bus, NULL, MANAGER, "SetUnitProperties", on_budget, NULL,
					"sba(sv)", scope_slice(p, slice), 1, 3, "CPUAccounting",
					"b", 1, "CPUWeight", "t", (uint64_t)p->weight,
					"CPUQuotaPerSecUSec", "t",
					p->percent ? (uint64_t)p->percent * 10000 : UINT64_MAX);
}

static int call(struct scopes *s, const struct scope_spec *spec, struct scope_job *j)
{
	sd_bus_message *m = NULL;
	int r = spec->partition ? set_budget(s, spec->partition) : 0;

	if (r >= 0)
		r = sd_bus_message_new_method_call(s->bus, &m, MANAGER, "StartTransientUnit");
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", spec->name, "fail");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = append_unit(m, spec);
	if (r >= 0)
		r = append_limits(m, spec->limits);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (r >= 0)
		r = sd_bus_call_async(s->bus, &j->call, m, on_answer, j,
				      (uint64_t)SCOPE_BOUND_MS * 2000);
	sd_bus_message_unref(m);
	return r;
}

int scope_start(struct scopes *s, const struct scope_spec *spec, scope_fn *done, void *arg,
		struct scope_job **ret, struct err *e)
{
	struct scope_job *j;
	int r;

	if (connect_bus(s, e) < 0)
		return -1;
	j = calloc(1, sizeof *j);
	if (!j)
		abort();
	*j = (struct scope_job){.scopes = s, .done = done, .arg = arg};
	str_copy(j->vm, sizeof j->vm, spec->vm);
	r = call(s, spec, j);
	if (r < 0) {
		forget(j);
		errno = -r;
		return err_sys(e, RESOURCE, "ask systemd for a scope for '%s'", spec->vm);
	}
	timer_set(s->loop, &j->bound, SCOPE_BOUND_MS, on_bound, j);
	j->next = s->first;
	s->first = *ret = j;
	return 0;
}

void scope_open(struct scopes *s, sd_event *loop)
{
	*s = (struct scopes){.loop = loop, .kills_seen = -1};
}

void scope_close(struct scopes *s)
{
	while (s->first)
		forget(s->first);
	leave_bus(s);
	*s = (struct scopes){0};
}
