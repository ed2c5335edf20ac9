/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/store/event.h"
#include "daemon/host.h"
#include "daemon/keep/recall.h"
#include "daemon/notify.h"
#include "daemon/vm/recover.h"
#include "daemon/shutdown.h"

static gid_t api_gid(const struct daemon *d)
{
	return geteuid() == 0 ? (gid_t)d->config.uid_base : (gid_t)-1;
}

/* The folder and what is missing above it. */
static int make_folder(const char *path, mode_t mode, struct err *e)
{
	char part[CONFIG_PATH];

	str_copy(part, sizeof part, path);
	for (char *p = part + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return err_sys(e, RESOURCE, "make the folder '%s'", part);
		*p = '/';
	}
	if (mkdir(part, mode) < 0 && errno != EEXIST)
		return err_sys(e, RESOURCE, "make the folder '%s'", part);
	return 0;
}

/* Held as long as the process lives, whatever way it ends; a child that it is just making when it is
 * killed has no part in it. */
static int lock_folder(const char *path, const char *what, int *ret_fd, struct err *e)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char file[CONFIG_PATH + 16];

	snprintf(file, sizeof file, "%s/qvmd.lock", path);
	AUTO_FD int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, RESOURCE, "open the lock '%s'", file);
	if (fcntl(fd, F_SETLK, &whole) < 0) {
		if (errno != EAGAIN && errno != EACCES)
			return err_sys(e, RESOURCE, "lock '%s'", file);
		fcntl(fd, F_GETLK, &whole);
		return err_set(e, RESOURCE,
			       "another qvmd, process %d, uses the %s directory '%s': end it, or "
			       "give this one a directory of its own (--%s-dir)",
			       whole.l_pid, what, path, what);
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_folders(struct daemon *d, struct err *e)
{
	const struct config *c = &d->config;
	gid_t gid = api_gid(d);

	if (make_folder(c->state_dir, 0750, e) < 0 || make_folder(c->run_dir, 0755, e) < 0 ||
	    lock_folder(c->state_dir, "state", &d->state_lock, e) < 0 ||
	    lock_folder(c->run_dir, "run", &d->run_lock, e) < 0)
		return -1;
	if (chmod(c->state_dir, 0750) < 0 ||
	    (gid != (gid_t)-1 && chown(c->state_dir, (uid_t)-1, gid) < 0))
		return err_sys(e, RESOURCE, "let the API's group enter '%s'", c->state_dir);
	return 0;
}

/* Several descriptors a VM: as many as the host permits. */
static void raise_limits(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	(void)s;
	shutdown_begin(arg, si->ssi_signo == SIGINT    ? SHUTDOWN_STOP
			    : si->ssi_signo == SIGUSR1 ? SHUTDOWN_LEAVE
						       : SHUTDOWN_AS_SET);
	return 0;
}

static int on_reload(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	struct daemon *d = arg;
	struct err e;

	(void)s;
	(void)si;
	if (secure_reload(d, &e) < 0)
		log_error(&(struct log_about){.err = &e}, "the present TLS files stay in use: %s",
			  e.msg);
	else
		log_info(NULL, "the TLS files are read again");
	return 0;
}

static int open_loop(struct daemon *d, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (sd_event_new(&d->loop) < 0 ||
	    sd_event_add_signal(d->loop, NULL, SIGTERM, on_signal, d) < 0 ||
	    sd_event_add_signal(d->loop, NULL, SIGINT, on_signal, d) < 0 ||
	    sd_event_add_signal(d->loop, NULL, SIGUSR1, on_signal, d) < 0 ||
	    sd_event_add_signal(d->loop, NULL, SIGHUP, on_reload, d) < 0)
		return err_set(e, INTERNAL, "set up the event loop");
	d->dials.loop = d->shmem.loop = d->openers.loop = d->loop;
	d->dials.keep = d->peers.keep = &d->keep;
	return 0;
}

static int open_store(struct daemon *d, struct err *e)
{
	char path[STORE_PATH];

	snprintf(path, sizeof path, "%s/state.db", d->config.state_dir);
	return store_open(&d->store, path, api_gid(d), e);
}

static int begin(struct daemon *d, struct err *e)
{
	struct event up =
		event_make(JOURNAL_SUPERVISOR_UP, "",
			   "qvmd " QVM_VERSION " has started, %zu VMs are defined", d->vms.n);
	AUTO(recall_clear) struct recall r = {0};
	struct err why = {0};

	cgroup_open(&d->cgroup, d->config.state_dir, &why);
	if (d->config.scopes && geteuid() == 0 && sd_booted() > 0)
		scope_open(&d->scopes, d->loop);
	keep_open(d, &r);
	ledger_event(d, &up);
	if (host_write(d, why.msg, e) < 0)
		return -1;
	hostsafe_open(d);
	peer_recall(&d->peers, &r);
	dial_recall(&d->dials, &r);
	recover_run(d, &r);
	return server_open(d, e);
}

int daemon_open(struct daemon *d, struct err *e)
{
	d->state_lock = d->run_lock = d->cgroup.fd = -1;
	d->keep.link = d->keep.process.fd = -1;
	d->server.listener = d->server.process.fd = d->door.link = -1;
	shmem_init(&d->shmem, &d->scopes);
	raise_limits();
	if (open_folders(d, e) < 0 || open_loop(d, e) < 0 || open_store(d, e) < 0 ||
	    host_boot_id(d->boot, e) < 0 || ledger_open(d, e) < 0 || recover_load(d, e) < 0 ||
	    begin(d, e) < 0) {
		daemon_close(d);
		return -1;
	}
	return 0;
}

int daemon_run(struct daemon *d, struct err *e)
{
	int r = sd_event_loop(d->loop);

	if (r < 0) {
		errno = -r;
		return err_sys(e, INTERNAL, "run the event loop");
	}
	return 0;
}

static void close_locks(struct daemon *d)
{
	if (d->run_lock >= 0)
		close(d->run_lock);
	if (d->state_lock >= 0)
		close(d->state_lock);
}

void daemon_close(struct daemon *d)
{
	watch_close(d);
	hook_close(d);
	hostsafe_close(d);
	frontdoor_close(d);
	server_close(d);
	if (d->store.db && d->ledger.flush) {
		struct event down = event_make(JOURNAL_SUPERVISOR_DOWN, "", "%s",
					       d->is_leaving ? "qvmd ends, the VMs run on"
							     : "qvmd ends in order");

		if (d->is_ending)
			ledger_event(d, &down);
		ledger_close(d);
	}
	if (d->store.db)
		store_close(&d->store);
	vm_clear(&d->vms);
	keep_close(d);
	peer_clear(&d->peers);
	dial_clear(&d->dials);
	shmem_close(&d->shmem);
	scope_close(&d->scopes);
	dumps_close(d);
	opener_clear(&d->openers);
	cgroup_close(&d->cgroup);
	sd_event_source_disable_unref(d->stopper);
	d->loop = sd_event_unref(d->loop);
	close_locks(d);
}
