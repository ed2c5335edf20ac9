/* SPDX-License-Identifier: Apache-2.0 */
#include "client/draft.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"

extern char **environ;

static int write_text(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t done = write(fd, text, n);

		if (done < 0)
			return -1;
		text += done;
		n -= (size_t)done;
	}
	return fsync(fd) < 0 && errno != EINVAL ? -1 : 0;
}

int draft_open(const char *name, const char *text, size_t n, struct draft *ret, struct err *e)
{
	const char *base = getenv("TMPDIR");
	struct draft d;
	int length;

	length = snprintf(d.folder, sizeof d.folder, "%s/qvmadm-XXXXXX",
			  base && *base ? base : "/tmp");
	if (length < 0 || (size_t)length >= sizeof d.folder || !mkdtemp(d.folder))
		return err_sys(e, RESOURCE, "make a folder for the text in '%s' (TMPDIR)",
			       base && *base ? base : "/tmp");
	snprintf(d.path, sizeof d.path, "%s/%.200s", d.folder, name);
	AUTO_FD int fd = open(d.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || write_text(fd, text, n) < 0) {
		err_sys(e, RESOURCE, "write the text into '%s'", d.path);
		draft_remove(&d);
		return -1;
	}
	*ret = d;
	return 0;
}

static const char *chosen(void)
{
	static const char *const variable[] = {"VISUAL", "EDITOR"};

	for (size_t i = 0; i < NELEMS(variable); i++) {
		const char *editor = getenv(variable[i]);

		if (editor && *editor)
			return editor;
	}
	return access("/usr/bin/editor", X_OK) == 0 ? "/usr/bin/editor" : "vi";
}

/* Of the keys that interrupt, the editor takes care. */
static int wait_for(pid_t pid, int *ret)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, was[2];
	static const int key[] = {SIGINT, SIGQUIT};
	int r;

	for (size_t i = 0; i < NELEMS(key); i++)
		sigaction(key[i], &ignore, &was[i]);
	while ((r = waitpid(pid, ret, 0)) < 0 && errno == EINTR)
		;
	for (size_t i = 0; i < NELEMS(key); i++)
		sigaction(key[i], &was[i], NULL);
	return r;
}

int draft_edit(const struct draft *d, struct err *e)
{
	static char shell[] = "sh", flag[] = "-c";
	const char *editor = chosen();
	AUTO_FREE char *command = NULL;
	pid_t pid;
	int status, failed;

	/* By a shell, as an editor may be set with arguments; the path is one of them. */
	if (asprintf(&command, "%s \"$0\"", editor) < 0)
		abort();
	failed = posix_spawnp(&pid, shell, NULL, NULL,
			      (char *[]){shell, flag, command, (char *)d->path, NULL}, environ);
	if (failed) {
		errno = failed;
		return err_sys(e, RESOURCE, "start the editor '%.80s'", editor);
	}
	if (wait_for(pid, &status) < 0)
		return err_sys(e, RESOURCE, "wait for the editor '%.80s'", editor);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status))
		return err_set(e, RESOURCE,
			       "the editor '%.80s' ended with status %d, so nothing was changed",
			       editor, WEXITSTATUS(status));
	return err_set(e, RESOURCE,
		       "the editor '%.80s' was killed by signal %d, so nothing was changed", editor,
		       WTERMSIG(status));
}

void draft_remove(const struct draft *d)
{
	unlink(d->path);
	rmdir(d->folder); /* what the editor has left there stays */
}
