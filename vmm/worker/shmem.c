/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shmem - shared memory of lone workers: those of one user meet at one server (vmm/shmem/server.h), which
 * the first of them starts, in a folder of that user alone. It ends with the last.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/sandbox.h"
#include "base/shmem.h"
#include "base/str.h"
#include "vmm/shmem/server.h"
#include "vmm/worker/host.h"
#include "vmm/worker/want.h"

enum { PATH = 64, TRIES = 10, PATIENCE_MS = 5000, SERVER_UID = 0x6fffffff };
#define LONE_BUDGET (UINT64_C(256) << 20)

/* Nobody else's folder, whoever has made it first. */
static int open_folder(char path[static PATH], int *ret_fd, struct err *e)
{
	struct stat st;

	snprintf(path, PATH, "/dev/shm/qvm-%u", geteuid());
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, RESOURCE, "make the folder '%s'", path);
	AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, RESOURCE, "open the folder '%s'", path);
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return err_set(
			e, RESOURCE,
			"others than you may use the folder '%s', where your VMs meet: remove "
			"it",
			path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* It has its listener and nothing else that somebody waits for the end of. */
static __attribute__((noreturn)) void keep(int listener)
{
	struct sandbox_spec spec = {.max_fds = SHMEM_SERVER_FDS};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (geteuid() == 0)
		spec.uid = spec.gid = SERVER_UID;
	listener = fcntl(listener, F_DUPFD_CLOEXEC, SHMEM_SERVER_FD + 1);
	if (null < 0 || listener < 0)
		_exit(1);
	for (int fd = 0; fd < SHMEM_SERVER_FD; fd++)
		dup2(null, fd);
	if (dup2(listener, SHMEM_SERVER_FD) < 0 || close_range(SHMEM_SERVER_FD + 1, ~0u, 0) < 0)
		_exit(1);
	setsid(); /* what the terminal sends is the workers' to hear */
	prctl(PR_SET_NAME, "qvm-shmem");
	_exit(shmem_server_serve(SHMEM_SERVER_FD, &spec));
}

/* By way of a child that ends at once, so that nobody has to reap it. */
static int start(int listener, struct err *e)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			keep(listener);
		_exit(pid < 0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid < 0 || status ? err_sys(e, RESOURCE, "start the server of shared memory") : 0;
}

/* True once the server has taken us on; its word stays for the worker to read. */
static bool is_welcome(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};
	char word;

	return poll(&p, 1, PATIENCE_MS) == 1 && recv(fd, &word, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* Under the folder's lock: one that is about to end leaves us unwelcome, and the next is ours. */
static int meet(const char *path, const struct shmem_hello *hello, int *ret_fd, struct err *e)
{
	for (unsigned i = 0; i < TRIES; i++) {
		AUTO_FD int fd = -1;

		if (shmem_connect(path, hello, &fd, e) < 0) {
			AUTO_FD int listener = -1;

			if (!shmem_is_unserved(e))
				return -1;
			/* We wait in its queue before it is there: it finds somebody to stay for. */
			if (shmem_listen(path, &listener, e) < 0 ||
			    shmem_connect(path, hello, &fd, e) < 0 || start(listener, e) < 0)
				return -1;
		}
		if (is_welcome(fd)) {
			*ret_fd = TAKE_FD(fd);
			return 0;
		}
	}
	return err_set(e, RESOURCE, "the server of shared memory at '%s' does not answer", path);
}

int host_open_shmem(const struct want *w, const struct board *b, struct err *e)
{
	struct shmem_hello hello = {.budget_bytes = LONE_BUDGET};
	char folder[PATH], path[PATH + 16];
	AUTO_FD int lock = -1;

	(void)b;
	str_copy(hello.rules, sizeof hello.rules, w->path);
	if (open_folder(folder, &lock, e) < 0)
		return err_wrap(e, "%s (line %u)", w->option, w->line);
	if (flock(lock, LOCK_EX) < 0)
		return err_sys(e, RESOURCE, "lock the folder '%s'", folder);
	snprintf(path, sizeof path, "%s/shmem.sock", folder);
	if (meet(path, &hello, w->fd, e) < 0)
		return err_wrap(e, "%s (line %u)", w->option, w->line);
	return 0;
}
