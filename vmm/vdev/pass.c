/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vdev/pass.h"

#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "schemas/message.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"

_Static_assert((int)VDEV_WANTS >= VDEV_REGIONS, "a place of `pass` is a region and a file");

struct pass {
	uint64_t offset[VDEV_REGIONS];
	void *host[VDEV_REGIONS]; /* NULL = not mapped */
};

int pass_add(struct vdev *d, const struct pass_place *p, struct err *e)
{
	struct pass *s = d->state;
	unsigned i = d->n_regions;

	if (i == VDEV_REGIONS)
		return err_set(e, CONFIG, "one `pass` has at most %d `loc`", VDEV_REGIONS);
	if (vdev_want(d, p->is_writable ? WANT_PASS : WANT_PASS_READ, p->path, e) < 0)
		return -1;
	d->region[i] = (struct vdev_region){VDEV_MEM, p->gpa, p->bytes};
	s->offset[i] = p->offset;
	d->n_regions++;
	return 0;
}

static int pass_check(struct vdev *d, struct err *e)
{
	return d->n_regions ? 0 : err_set(e, CONFIG, "this `pass` gives the guest nothing");
}

/* A file cannot be sealed as a memfd can: that it keeps its length is its owner's to see to. */
static int map(struct vdev *d, unsigned i, struct err *e)
{
	const struct vdev_region *g = &d->region[i];
	const struct vdev_want *w = &d->want[i];
	bool is_writable = w->kind == WANT_PASS;
	struct pass *s = d->state;
	struct stat st;
	void *p;

	if (fstat(w->fd, &st) < 0)
		return err_sys(e, START, "look at '%s'", w->path);
	if (st.st_size < 0 || (uint64_t)st.st_size < s->offset[i] ||
	    (uint64_t)st.st_size - s->offset[i] < g->bytes)
		return err_set(e, START,
			       "'%s' has %jd bytes, 0x%" PRIx64 " from 0x%" PRIx64
			       " on are to be passed: make it longer (truncate -s) or pass less",
			       w->path, (intmax_t)st.st_size, g->bytes, s->offset[i]);
	p = mmap(NULL, g->bytes, is_writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
		 w->fd, (off_t)s->offset[i]);
	if (p == MAP_FAILED)
		return err_sys(e, START, "map '%s'", w->path);
	s->host[i] = p;
	return machine_place(d->machine, machine_slot(d->machine), g->base, g->bytes, p,
			     is_writable, e);
}

static int pass_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	(void)m;
	for (unsigned i = 0; i < d->n_regions; i++)
		if (map(d, i, e) < 0)
			return -1;
	return 0;
}

static void pass_destroy(struct vdev *d)
{
	struct pass *s = d->state;

	for (unsigned i = 0; i < d->n_regions; i++)
		if (s->host[i])
			munmap(s->host[i], d->region[i].bytes);
}

const struct vdev_class pass_class = {
	.name = "pass",
	.summary = "memory of the host",
	.space = VDEV_MEM,
	.is_pass = true,
	.intr = -1,
	.state_bytes = sizeof(struct pass),
	.check = pass_check,
	.assemble = pass_assemble,
	.destroy = pass_destroy,
};
