/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/rehearsal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "schemas/message.h"
#include "vmm/boot/image.h"
#include "vmm/conf/board.h"
#include "vmm/machine/memory.h"
#include "vmm/worker/alone.h"
#include "vmm/worker/host.h"
#include "vmm/worker/life.h"

/* From one process to another; less than a pipe keeps together. */
struct outcome {
	uint32_t load;
	struct err e; /* ERR_OK = all are loaded */
};

static int open_images(const struct want_list *l, const struct board *b, struct err *e)
{
	for (unsigned i = 0; i < l->n; i++)
		if ((l->want[i].kind == WANT_IMAGE || l->want[i].kind == WANT_RAM) &&
		    host_open(&l->want[i], b, e) < 0)
			return -1;
	return 0;
}

static int load(struct life *l, unsigned *ret_load, struct err *e)
{
	const struct board *b = l->board;
	struct sandbox_spec spec = alone_sandbox();
	struct memory m;
	struct entry entry;

	if (want_collect(l->board, false, &l->wants, e) < 0 || open_images(&l->wants, b, e) < 0 ||
	    life_close_sandbox(l, &spec, e) < 0 ||
	    memory_map(&m, b->memory, b->n_memory, l->wants.ram_fd, e) < 0)
		return -1;
	return image_load_board(b, &m, &entry, ret_load, e);
}

/* The end of the process gives back all that it holds. */
static _Noreturn void perform(struct board *b, int words)
{
	struct outcome x = {.load = b->n_loads};
	struct life l;

	life_init(&l, false);
	l.board = b;
	load(&l, &x.load, &x.e);
	_exit(write(words, &x, sizeof x) == sizeof x ? EXIT_SUCCESS : EXIT_FAILURE);
}

int rehearsal_load(struct board *b, unsigned *ret_load, struct err *e)
{
	struct outcome x = {0};
	int words[2], status = 0;
	ssize_t n;
	pid_t child;

	if (pipe2(words, O_CLOEXEC) < 0)
		return err_sys(e, RESOURCE, "make a pipe");
	AUTO_FD int ours = words[0];
	AUTO_FD int its = words[1];
	child = fork();
	if (child < 0)
		return err_sys(e, RESOURCE, "make a process that loads the images");
	if (child == 0)
		perform(b, its);
	close(TAKE_FD(its));
	do
		n = read(ours, &x, sizeof x);
	while (n < 0 && errno == EINTR);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof x)
		return err_set(e, START, "the images cannot be loaded: who tries ends with %s %d",
			       WIFSIGNALED(status) ? "signal" : "status",
			       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	err_sane(&x.e);
	if (x.e.code == ERR_OK)
		return 0;
	*ret_load = x.load;
	*e = x.e;
	return -1;
}
