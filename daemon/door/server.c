/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/door/server.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/wire.h"
#include "daemon/daemon.h"
#include "daemon/store/event.h"
#include "daemon/store/incident.h"
#include "daemon/notify.h"
#include "daemon/timer.h"

enum {
	BACKLOG = 128,
	DELAY_MIN_MS = 100,
	DELAY_MAX_MS = 10000,
	STEADY_MS = 30000,
	LINGER_MS = 1000
};

/* Members of the group `qvm` may connect; the API tells their roles from SO_PEERCRED. */
static int share(const char *path, struct err *e)
{
	struct group *g = geteuid() == 0 ? getgrnam("qvm") : NULL;

	if (g && chown(path, 0, g->gr_gid) < 0)
		return err_sys(e, RESOURCE, "give '%s' to the group qvm", path);
	if (chmod(path, 0660) < 0)
		return err_sys(e, RESOURCE, "set the mode of '%s'", path);
	return 0;
}

/* The lock on the run directory is held, so a socket that is there is a left-over. */
static int make_listener(struct server *s, const char *run_dir, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int r;

	r = snprintf(a.sun_path, sizeof a.sun_path, "%s/api.sock", run_dir);
	if (r < 0 || (size_t)r >= sizeof a.sun_path)
		return err_set(e, INVALID, "the run directory '%s' is too long for a socket",
			       run_dir);
	if (fd < 0)
		return err_sys(e, RESOURCE, "make the API's socket");
	if (unlink(a.sun_path) < 0 && errno != ENOENT)
		return err_sys(e, RESOURCE, "remove the old socket '%s'", a.sun_path);
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&a, sizeof a);
	umask(mask);
	if (r < 0 || listen(fd, BACKLOG) < 0)
		return err_sys(e, RESOURCE, "listen on '%s'", a.sun_path);
	str_copy(s->path, sizeof s->path, a.sun_path);
	s->listener = TAKE_FD(fd);
	return share(s->path, e);
}

static int on_again(sd_event_source *t, uint64_t us, void *arg);

static void again(struct daemon *d)
{
	struct server *s = &d->server;

	if (clock_mono_ms() - s->started_ms > STEADY_MS || s->delay_ms == 0)
		s->delay_ms = DELAY_MIN_MS;
	else if (s->delay_ms < DELAY_MAX_MS)
		s->delay_ms *= 2;
	timer_set(d->loop, &s->again, s->delay_ms, on_again, d);
}

static int on_process(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct daemon *d = arg;
	struct server *s = &d->server;
	struct event ev;
	char name[24];
	int code, status;

	(void)source;
	(void)fd;
	(void)events;
	s->source = sd_event_source_disable_unref(s->source);
	process_reap(&s->process, &code, &status);
	frontdoor_close(d);
	if (d->is_ending) {
		daemon_check_end(d);
		return 0;
	}
	if (code == CLD_EXITED)
		ev = event_make(JOURNAL_API_LOST, "", "the API process left with status %d%s",
				status,
				status == PROCESS_NO_EXEC ? ", it could not be executed" : "");
	else
		ev = event_make(JOURNAL_API_LOST, "", "the API process died of %s",
				incident_signal(status, name));
	ledger_event(d, &ev);
	again(d);
	return 0;
}

static int spawn(struct daemon *d, struct err *e)
{
	static char name[] = "qvm-api", state_flag[] = "--state-dir", uid_flag[] = "--uid",
		    gid_flag[] = "--gid", rate_flag[] = "--requests-per-second",
		    burst_flag[] = "--request-burst";
	char uid[16], rate[16], burst[16], program[CONFIG_PROGRAM];
	struct server *s = &d->server;
	int link[2];

	snprintf(uid, sizeof uid, "%u", geteuid() == 0 ? d->config.uid_base : 0);
	snprintf(rate, sizeof rate, "%u", (unsigned)d->config.requests_per_s);
	snprintf(burst, sizeof burst, "%u", (unsigned)d->config.request_burst);
	if (wire_pair(link, e) < 0)
		return -1;
	AUTO_FD int ours = link[0];
	AUTO_FD int its = link[1];
	char *const argv[] = {name,	state_flag, d->config.state_dir, uid_flag, uid,
			      gid_flag, uid,	    rate_flag,		 rate,	   burst_flag,
			      burst,	NULL};

	if (process_spawn(
		    &(struct process_spec){.program = config_program(&d->config, name, program),
					   .argv = argv,
					   .fd = (int[]){its, s->listener},
					   .n_fds = 2,
					   .words = STDERR_FILENO,
					   .cgroup = -1},
		    &s->process, e) < 0)
		return -1;
	s->started_ms = clock_mono_ms();
	if (sd_event_add_io(d->loop, &s->source, s->process.fd, EPOLLIN, on_process, d) < 0)
		abort(); /* out of memory: crash-only */
	frontdoor_open(d, TAKE_FD(ours));
	secure_send(d);
	return 0;
}

static int on_again(sd_event_source *t, uint64_t us, void *arg)
{
	struct daemon *d = arg;
	struct err e;

	(void)t;
	(void)us;
	if (spawn(d, &e) < 0) {
		log_error(&(struct log_about){.err = &e}, "the API process is not started: %s",
			  e.msg);
		again(d);
	}
	return 0;
}

int server_open(struct daemon *d, struct err *e)
{
	if (secure_open(d, e) < 0 || make_listener(&d->server, d->config.run_dir, e) < 0)
		return -1;
	return spawn(d, e);
}

void server_is_up(struct daemon *d)
{
	struct event ev = event_make(JOURNAL_API_UP, "", "the API serves '%s'", d->server.path);

	ledger_event(d, &ev);
	if (!d->server.was_up)
		notify_ready();
	d->server.was_up = true;
}

static int on_linger(sd_event_source *t, uint64_t us, void *arg)
{
	struct daemon *d = arg;

	(void)t;
	(void)us;
	process_kill(&d->server.process);
	return 0;
}

void server_fence(struct daemon *d, const struct err *why)
{
	frontdoor_close(d);
	/* Whoever closed the link is ending: how, its pidfd will tell. */
	if (why->code == ERR_WORKER) {
		timer_set(d->loop, &d->server.again, LINGER_MS, on_linger, d);
		return;
	}
	log_error(&(struct log_about){.err = why}, "the API process is ended: %s", why->msg);
	process_kill(&d->server.process);
}

bool server_end(struct daemon *d)
{
	timer_clear(&d->server.again);
	if (d->server.process.fd < 0)
		return true;
	process_signal(&d->server.process, SIGTERM);
	return false;
}

void server_close(struct daemon *d)
{
	struct server *s = &d->server;

	timer_clear(&s->again);
	s->source = sd_event_source_disable_unref(s->source);
	if (s->process.fd >= 0) {
		int code, status;

		process_kill(&s->process);
		process_reap(&s->process, &code, &status);
	}
	secure_close(&d->secure);
	if (s->listener >= 0) {
		close(s->listener);
		unlink(s->path);
	}
}
