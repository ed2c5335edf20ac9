/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/dumper.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/blackbox.h"
#include "base/clock.h"
#include "base/dumpfile.h"
#include "base/log.h"
#include "base/str.h"
#include "vmm/conf/board.h"
#include "vmm/dump/elfcore.h"

enum { ASK = 'd', FDS_SEEN = 1024 };

struct answer {
	int is_done;
	char text[2 * ERR_MSG];
};

struct helper {
	const struct board *board;
	int ram_fd, dir_fd, link; /* dir_fd: -1 = the dump goes to a command */
	struct blackbox_map box;
};

/* --- the helper --- */

static int to_file(const struct helper *h, struct answer *a, struct err *e)
{
	const char *prefix = h->board->system[0] ? h->board->system : "qvm-guest";
	char name[DUMPFILE_NAME], size[24];
	AUTO_FD int fd = -1;
	uint64_t bytes;

	if (dumpfile_create(h->dir_fd, prefix, clock_wall_ms(), name, &fd, e) < 0)
		return -1;
	if (elfcore_write(&h->box, h->ram_fd, fd, &bytes, e) < 0) {
		unlinkat(h->dir_fd, name, 0); /* half a dump is worse than none */
		return err_wrap(e, "'%s' was removed", name);
	}
	snprintf(a->text, sizeof a->text, "the guest is dumped: %.200s/%s, %s", h->board->dump,
		 name, str_bytes(bytes, size));
	return 0;
}

static pid_t run_command(const struct helper *h, int in)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	dup2(in, STDIN_FILENO);
	execl("/bin/sh", "sh", "-c", h->board->dump + 1, (char *)NULL);
	_exit(127);
}

static int to_command(const struct helper *h, struct answer *a, struct err *e)
{
	int pipe_fd[2], status = 0, rc;
	uint64_t bytes;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return err_sys(e, RESOURCE, "make a pipe for the dump");
	pid = run_command(h, pipe_fd[0]);
	close(pipe_fd[0]);
	rc = pid < 0 ? err_sys(e, RESOURCE, "start the command of `dump`")
		     : elfcore_write(&h->box, h->ram_fd, pipe_fd[1], &bytes, e);
	close(pipe_fd[1]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && status != 0)
		return err_set(e, RESOURCE, "the command of `dump`, '%.100s', ended with %s %d",
			       h->board->dump + 1, WIFEXITED(status) ? "status" : "signal",
			       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	if (rc == 0)
		snprintf(a->text, sizeof a->text, "the guest is dumped to '%.200s'",
			 h->board->dump + 1);
	return rc;
}

static __attribute__((noreturn)) void serve(struct helper *h)
{
	const int keep[] = {h->ram_fd, h->dir_fd, h->link};
	char ask;

	/* The guest's disks stay locked as long as anybody has them open. */
	for (int fd = STDERR_FILENO + 1; fd < FDS_SEEN; fd++)
		if (fd != keep[0] && fd != keep[1] && fd != keep[2])
			close(fd);
	prctl(PR_SET_NAME, "qvm-dumper");
	/* What the terminal sends is the worker's to hear. */
	for (int s = SIGHUP; s <= SIGTERM; s++)
		signal(s, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN);
	while (recv(h->link, &ask, 1, 0) == 1) {
		struct answer a = {0};
		struct err e = {0};

		a.is_done = (h->dir_fd >= 0 ? to_file(h, &a, &e) : to_command(h, &a, &e)) == 0;
		if (!a.is_done)
			str_copy(a.text, sizeof a.text, e.msg);
		if (send(h->link, &a, sizeof a, MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

/* --- the worker --- */

/* The folder is the helper's alone; its want stays fulfilled. */
static int leave_folder(const struct board *b, struct err *e)
{
	AUTO_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (b->dump_fd >= 0 && (null < 0 || dup3(null, b->dump_fd, O_CLOEXEC) < 0))
		return err_sys(e, RESOURCE, "leave the folder of the dumps to their helper");
	return 0;
}

int dumper_spawn(struct dumper *d, const struct board *b, int ram_fd, int box_fd, struct err *e)
{
	struct helper h = {.board = b, .ram_fd = ram_fd, .dir_fd = b->dump_fd};
	int link[2];
	pid_t pid;

	*d = (struct dumper){.fd = -1};
	if (!b->dump[0])
		return 0;
	if (blackbox_map_reader(box_fd, &h.box, e) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) < 0) {
		blackbox_unmap(&h.box);
		return err_sys(e, RESOURCE, "make a link to the helper of `dump`");
	}
	h.link = link[1];
	pid = fork();
	if (pid == 0) {
		close(link[0]);
		serve(&h);
	}
	blackbox_unmap(&h.box);
	close(link[1]);
	d->fd = link[0];
	return pid < 0 ? err_sys(e, RESOURCE, "start the helper of `dump`") : leave_folder(b, e);
}

bool dumper_ask(struct dumper *d)
{
	static const char ask = ASK;

	if (d->fd < 0 || d->is_busy || write(d->fd, &ask, 1) != 1)
		return false;
	d->is_busy = true;
	return true;
}

bool dumper_answer(struct dumper *d, bool may_wait)
{
	struct pollfd p = {d->fd, POLLIN, 0};
	struct answer a;
	ssize_t n;

	if (d->fd < 0 || ppoll(&p, 1, may_wait ? NULL : &(struct timespec){0}, NULL) != 1)
		return false;
	n = read(d->fd, &a, sizeof a);
	if (n < 0 && errno == EINTR)
		return false;
	d->is_busy = false;
	a.text[sizeof a.text - 1] = '\0';
	if (n == sizeof a && a.is_done)
		log_info(NULL, "%s", a.text);
	else if (n == sizeof a)
		log_error(NULL, "the guest was not dumped: %s", a.text);
	else {
		log_error(NULL, "the helper of `dump` has died: no more dumps of this guest");
		dumper_close(d);
	}
	return true;
}

void dumper_close(struct dumper *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}
