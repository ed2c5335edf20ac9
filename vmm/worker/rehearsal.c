/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/rehearsal.h"

#include "base/attempt.h"
#include "schemas/message.h"
#include "vmm/boot/image.h"
#include "vmm/conf/board.h"
#include "vmm/machine/memory.h"
#include "vmm/worker/alone.h"
#include "vmm/worker/host.h"
#include "vmm/worker/life.h"

/* From one process to another. */
struct outcome {
	uint32_t load;
	struct err e; /* ERR_OK = all are loaded */
};
_Static_assert(sizeof(struct outcome) <= ATTEMPT_MOST, "an outcome is told at once");

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

static void perform(void *board, void *said)
{
	struct board *b = board;
	struct outcome *x = said;
	struct life l;

	x->load = b->n_loads;
	life_init(&l, false);
	l.board = b;
	load(&l, &x->load, &x->e);
}

int rehearsal_load(struct board *b, unsigned *ret_load, struct err *e)
{
	struct outcome x = {0};
	char end[ATTEMPT_END];
	int status, r = attempt_run(perform, b, &x, sizeof x, &status, e);

	if (r < 0)
		return -1;
	if (r > 0)
		return err_set(e, START, "the images cannot be loaded: who tries ends with %s",
			       attempt_end(status, end));
	err_sane(&x.e);
	if (x.e.code == ERR_OK)
		return 0;
	*ret_load = x.load;
	*e = x.e;
	return -1;
}
