/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/life.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "vmm/conf/board.h"
#include "vmm/worker/filter.h"
#include "vmm/worker/forbidden.h"
#include "vmm/worker/report.h"
#include "vmm/vdev/plugin.h"
#include "vmm/vdev/vdev.h"

enum { POLL_DOOR, POLL_STARTED, POLL_BEAT, POLL_END, POLL_ALARM, POLL_HOLD, POLL_FAULT, POLL_FEED };
/* Of all lines together; less than what a cut worker is given. The step is shorter than any heartbeat. */
enum { DRAIN_MS = 1000, DRAIN_STEP_MS = 50 };

void life_init(struct life *l, bool is_supervised)
{
	*l = (struct life){.wants = {.kvm_fd = -1, .ram_fd = -1, .box_fd = -1},
			   .feed = {.room_fd = -1},
			   .started_fd = -1,
			   .beat_fd = -1,
			   .is_supervised = is_supervised};
	l->poll = calloc(POLL_FEED, sizeof *l->poll);
	if (!l->poll)
		abort();
}

int life_close_sandbox(struct life *l, const struct sandbox_spec *s, struct err *e)
{
	uint32_t layers;

	plugin_seal();
	if (forbidden_catch(e) < 0 || sandbox_enter(s, &layers, e) < 0 ||
	    filter_first(l->is_supervised, e) < 0)
		return -1;
	l->layers = layers | SANDBOX_SECCOMP;
	return 0;
}

static int start_heart(struct life *l, uint64_t heartbeat_ms, struct err *e)
{
	struct itimerspec t = {.it_interval = {.tv_sec = (time_t)(heartbeat_ms / 1000),
					       .tv_nsec = (long)(heartbeat_ms % 1000) * 1000000}};

	t.it_value = t.it_interval;
	l->beat_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->beat_fd < 0 || timerfd_settime(l->beat_fd, 0, &t, NULL) < 0)
		return err_sys(e, RESOURCE, "make the timer of the heartbeat");
	return 0;
}

/* What the guest never touched, or gave back, takes none. */
static void note_memory(struct life *l)
{
	uint64_t pages;
	struct stat st;

	/* Not fstat(): the C library makes another call of it, which would take paths. */
	if (syscall(SYS_fstat, l->wants.ram_fd, &st) < 0)
		return;
	pages = (uint64_t)st.st_blocks * 512 / BLACKBOX_PAGE;
	atomic_store(&l->box.box->ram_pages, pages < UINT32_MAX ? (uint32_t)pages : UINT32_MAX);
}

static void beat(struct life *l)
{
	note_memory(l);
	atomic_store(&l->box.box->heartbeat_ns, clock_mono_ns());
	atomic_fetch_add(&l->box.box->heartbeat, 1);
}

/* A vdev that was short of room wakes the loop when it has it again. */
static void note_typing_room(struct life *l)
{
	uint64_t typed = atomic_load(&l->box.box->typed);

	atomic_store(&l->box.box->typed_limit, typed + machine_input_room(l->machine));
}

static void beat_all(struct life *l)
{
	beat(l);
	if (l->machine)
		machine_beat(l->machine);
}

static void make_room_to_poll(struct life *l)
{
	free(l->poll);
	l->poll = calloc(POLL_FEED + feed_polls(&l->feed), sizeof *l->poll);
	if (!l->poll)
		abort();
}

int life_assemble(struct life *l, uint64_t heartbeat_ms, struct err *e)
{
	const struct want *missing = want_missing(&l->wants);

	if (missing)
		return err_set(e, PROTOCOL, "%s '%s' was wanted and not granted", missing->option,
			       missing->path);
	if (blackbox_map_writer(l->wants.box_fd, &l->box, e) < 0)
		return -1;
	if (l->box.n_vcpus != l->board->n_cpus || l->box.n_vdevs != l->board->n_vdevs)
		return err_set(e, PROTOCOL,
			       "a black box for %u vCPUs and %u vdevs was granted, the board has "
			       "%u and %u",
			       l->box.n_vcpus, l->box.n_vdevs, l->board->n_cpus, l->board->n_vdevs);
	l->box.box->sandbox = l->layers;
	atomic_store(&l->box.box->state, BLACKBOX_ASSEMBLING);
	forbidden_record(&l->box.box->forbidden);
	report_to_box(&l->box, l->board, l->is_supervised);
	l->started_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->started_fd < 0)
		return err_sys(e, RESOURCE, "make an eventfd for the start");
	if (start_heart(l, heartbeat_ms, e) < 0)
		return -1;
	beat(l);
	for (unsigned i = 0; i < l->board->n_vdevs; i++)
		l->board->vdev[i]->takes_console =
			l->is_supervised && vdev_is_console(l->board->vdev[i]);
	if (feed_open(&l->feed, l->board, e) < 0)
		return -1;
	make_room_to_poll(l);
	if (machine_assemble(l->board, &l->box, l->wants.kvm_fd, l->wants.ram_fd, &l->machine, e) <
	    0)
		return -1;
	atomic_store(&l->box.box->state, BLACKBOX_READY);
	return 0;
}

/* On the boot vCPU's thread: the loop's thread spreads the news. */
static void note_started(void *arg)
{
	struct life *l = arg;
	uint64_t one = 1;

	atomic_store(&l->box.box->state, BLACKBOX_RUNNING);
	(void)!write(l->started_fd, &one, sizeof one); /* an eventfd at 0 takes it */
}

int life_start(struct life *l, struct err *e)
{
	if (filter_final(l->board, l->is_supervised, e) < 0)
		return -1;
	machine_start(l->machine, note_started, l);
	return 0;
}

int life_wait(struct life *l, int door_fd, struct life_news *ret, struct err *e)
{
	unsigned n = POLL_FEED;
	uint64_t count;

	*ret = (struct life_news){0};
	l->poll[POLL_DOOR] = (struct pollfd){door_fd, POLLIN, 0};
	l->poll[POLL_STARTED] = (struct pollfd){l->started_fd, POLLIN, 0};
	l->poll[POLL_BEAT] = (struct pollfd){l->beat_fd, POLLIN, 0};
	l->poll[POLL_END] =
		(struct pollfd){l->machine ? machine_end_fd(l->machine) : -1, POLLIN, 0};
	l->poll[POLL_ALARM] =
		(struct pollfd){l->machine ? machine_alarm_fd(l->machine) : -1, POLLIN, 0};
	l->poll[POLL_HOLD] =
		(struct pollfd){l->machine ? machine_hold_fd(l->machine) : -1, POLLIN, 0};
	l->poll[POLL_FAULT] =
		(struct pollfd){l->machine ? machine_fault_fd(l->machine) : -1, POLLIN, 0};
	if (l->machine) {
		note_typing_room(l);
		feed_poll(&l->feed, l->poll + POLL_FEED);
		n += feed_polls(&l->feed);
	}
	if (ppoll(l->poll, n, NULL, NULL) < 0)
		return errno == EINTR ? 0 : err_sys(e, INTERNAL, "wait for events");
	/* A vdev's end may have hung up: all revents count, not only POLLIN. */
	ret->door = l->poll[POLL_DOOR].revents;
	ret->ended = l->poll[POLL_END].revents;
	/* A short life may start and end, or stand, between two looks of one ppoll(): the start is told
	 * first. */
	if (l->poll[POLL_STARTED].revents || l->poll[POLL_HOLD].revents ||
	    l->poll[POLL_FAULT].revents || ret->ended)
		ret->started = read(l->started_fd, &count, sizeof count) == sizeof count;
	if (l->poll[POLL_BEAT].revents && read(l->beat_fd, &count, sizeof count) == sizeof count)
		beat_all(l);
	if (l->poll[POLL_HOLD].revents)
		ret->held = read(machine_hold_fd(l->machine), &count, sizeof count) == sizeof count;
	if (l->poll[POLL_FAULT].revents)
		ret->fault =
			read(machine_fault_fd(l->machine), &count, sizeof count) == sizeof count;
	if (ret->held)
		atomic_store(&l->box.box->state, BLACKBOX_PAUSED);
	if (l->poll[POLL_ALARM].revents)
		machine_serve_alarms(l->machine);
	if (l->machine)
		feed_take(&l->feed, l->poll + POLL_FEED, &ret->leave);
	return 0;
}

void life_release(struct life *l)
{
	uint32_t paused = BLACKBOX_PAUSED;

	atomic_compare_exchange_strong(&l->box.box->state, &paused, BLACKBOX_RUNNING);
	machine_release(l->machine);
}

static void record_end(struct life *l, const struct machine_end *how)
{
	struct blackbox_end *end = &l->box.box->end;

	if (atomic_load(&end->is_set))
		return;
	end->cause = how->cause;
	end->exit_code = how->exit_code;
	end->syscall = -1;
	end->vcpu = how->vcpu;
	str_copy(end->detail, sizeof end->detail, how->detail);
	end->err = how->err;
	atomic_store(&end->is_set, 1);
}

void life_note_fault(struct life *l, struct machine_end *ret)
{
	machine_fault(l->machine, ret);
	record_end(l, ret);
}

void life_note_end(struct life *l, const struct machine_end *how)
{
	if (!l->box.box)
		return;
	record_end(l, how);
	atomic_store(&l->box.box->state, BLACKBOX_ENDED);
}

/* Its last words, for readers that are slow but there. The loop's beat goes on. */
static void drain(struct life *l)
{
	const uint64_t until_ms = clock_mono_ms() + DRAIN_MS;
	const struct timespec step = {.tv_nsec = DRAIN_STEP_MS * 1000000L};

	while (feed_drain(&l->feed, l->poll + POLL_FEED)) {
		if (clock_mono_ms() >= until_ms) {
			feed_give_up(&l->feed);
			return;
		}
		if (ppoll(l->poll + POLL_FEED, feed_polls(&l->feed), &step, NULL) < 0 &&
		    errno != EINTR)
			return;
		beat(l);
	}
}

void life_end(struct life *l, struct machine_end *ret)
{
	machine_join(l->machine, ret);
	drain(l);
	if (cause_exit(ret->cause) < 0)
		ret->exit_code = (uint32_t)cause_exit(CAUSE_POWER_CUT);
}

struct machine_end life_no_machine(enum cause cause, const struct err *err)
{
	struct machine_end end = {.cause = cause};
	int exit_code = cause_exit(cause);

	/* Some causes are for a supervisor to give: what such an end is to the guest is a power cut. */
	end.exit_code = (uint32_t)(exit_code >= 0 ? exit_code : cause_exit(CAUSE_POWER_CUT));
	if (err)
		end.err = *err;
	return end;
}

struct machine_end life_failed_start(const struct err *e)
{
	return life_no_machine(e->code == ERR_RESOURCE ? CAUSE_RESOURCE : CAUSE_START_FAILED, e);
}

void life_free(struct life *l)
{
	l->machine = machine_free(l->machine);
	feed_close(&l->feed);
	want_free(&l->wants);
	l->board = board_free(l->board);
	if (l->started_fd >= 0)
		close(l->started_fd);
	if (l->beat_fd >= 0)
		close(l->beat_fd);
	free(l->poll);
	report_leave_box();
	forbidden_record(NULL);
	blackbox_unmap(&l->box);
}
