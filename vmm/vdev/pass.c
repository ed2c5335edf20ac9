/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vdev/pass.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/hostports.h"
#include "base/uio.h"
#include "schemas/message.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/uio.h"

_Static_assert((int)VDEV_WANTS >= VDEV_REGIONS + 2, "a place is a want, a UIO device has two more");

struct pass {
	struct part {
		unsigned want; /* index of the file */
		uint64_t offset;
		void *host; /* NULL = not mapped */
		bool is_writable;
	} part[VDEV_REGIONS];
	int arm; /* index of the want that arms the interrupt, behind that of the device; 0 = none */
	struct uio_line line;
};

/* What several places of one UIO device share is wanted once. */
static int want(struct vdev *d, uint32_t kind, const char *path, unsigned *ret, struct err *e)
{
	bool is_shared = kind == WANT_UIO || kind == WANT_UIO_BAR || kind == WANT_UIO_ARM;

	for (unsigned i = 0; i < d->n_wants && is_shared; i++) {
		if (d->want[i].kind == kind && !strcmp(d->want[i].path, path)) {
			*ret = i;
			return 0;
		}
		if (d->want[i].kind == kind && kind == WANT_UIO)
			return err_set(e, CONFIG, "one `pass` has one UIO device, and '%s' it has",
				       d->want[i].path);
	}
	*ret = d->n_wants;
	return vdev_want(d, kind, path, e);
}

/* The device comes before what is its: its lock says who owns it. */
static int want_device(struct vdev *d, unsigned uio, unsigned *ret, struct err *e)
{
	char path[32];

	snprintf(path, sizeof path, UIO_WANT "%u", uio);
	return want(d, WANT_UIO, path, ret, e);
}

int pass_add(struct vdev *d, const struct pass_place *p, struct err *e)
{
	struct pass *s = d->state;
	unsigned i = d->n_regions, device;

	if (i == VDEV_REGIONS)
		return err_set(e, CONFIG, "one `pass` has at most %d `loc`", VDEV_REGIONS);
	if ((p->kind == WANT_UIO || p->kind == WANT_UIO_BAR) &&
	    want_device(d, p->uio, &device, e) < 0)
		return -1;
	if (want(d, p->kind, p->path, &s->part[i].want, e) < 0)
		return -1;
	d->region[i] = (struct vdev_region){p->space, p->base, p->bytes};
	s->part[i].offset = p->offset;
	s->part[i].is_writable = p->is_writable;
	d->n_regions++;
	return 0;
}

int pass_interrupt(struct vdev *d, unsigned uio, struct err *e)
{
	struct pass *s = d->state;
	unsigned device, arm;
	char path[32];

	if (s->arm)
		return err_set(e, CONFIG, "one `pass` has one `intr`");
	snprintf(path, sizeof path, UIO_ARM_WANT, uio);
	if (want_device(d, uio, &device, e) < 0 || want(d, WANT_UIO_ARM, path, &arm, e) < 0)
		return -1;
	s->arm = (int)arm;
	return 0;
}

static int pass_check(struct vdev *d, struct err *e)
{
	return d->n_wants ? 0 : err_set(e, CONFIG, "this `pass` gives the guest nothing");
}

static bool is_physical(const struct vdev_want *w)
{
	return w->kind == WANT_MEM || w->kind == WANT_MEM_READ;
}

/* A file cannot be sealed as a memfd can: that it keeps its length is its owner's to see to. */
static int check_length(const struct vdev *d, unsigned i, struct err *e)
{
	const struct part *part = &((const struct pass *)d->state)->part[i];
	const struct vdev_want *w = &d->want[part->want];
	uint64_t bytes = d->region[i].bytes;
	struct stat st;

	if (w->kind == WANT_PORTS || w->kind == WANT_UIO || is_physical(w)) /* mmap() knows */
		return 0;
	if (fstat(w->fd, &st) < 0)
		return err_sys(e, START, "look at '%s'", w->path);
	if (st.st_size >= 0 && (uint64_t)st.st_size >= part->offset &&
	    (uint64_t)st.st_size - part->offset >= bytes)
		return 0;
	return err_set(e, START,
		       "'%s' has %jd bytes, 0x%" PRIx64 " from 0x%" PRIx64
		       " on are to be passed: %s pass less",
		       w->path, (intmax_t)st.st_size, bytes, part->offset,
		       w->kind == WANT_UIO_BAR ? "" : "make it longer (truncate -s) or");
}

static int map(struct vdev *d, unsigned i, struct err *e)
{
	struct part *part = &((struct pass *)d->state)->part[i];
	const struct vdev_region *g = &d->region[i];
	struct vdev_want *w = &d->want[part->want];
	void *p;

	if (check_length(d, i, e) < 0)
		return -1;
	if (g->space == VDEV_IO)
		return 0;
	p = mmap(NULL, g->bytes, part->is_writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
		 w->fd, (off_t)part->offset);
	if (p == MAP_FAILED && (w->kind == WANT_UIO || w->kind == WANT_UIO_BAR))
		return err_sys(e, START,
			       "map 0x%" PRIx64 " bytes of '%s' (does it have as many there, as "
			       "memory? see /sys/class/uio)",
			       g->bytes, w->path);
	if (p == MAP_FAILED)
		return err_sys(e, START, "map '%s'", w->path);
	part->host = p;
	if (is_physical(w)) {
		/* It reaches more than what was mapped (base/hostmem.h). */
		close(w->fd);
		w->fd = -1;
	}
	return machine_place(d->machine, machine_slot(d->machine), g->base, g->bytes, p,
			     part->is_writable, e);
}

static void ready(struct vdev *d, int fd, uint32_t events)
{
	struct pass *s = d->state;

	(void)events;
	uio_line_signal(&s->line, fd);
}

static int pass_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	struct pass *s = d->state;
	unsigned device;

	(void)m;
	for (unsigned i = 0; i < d->n_regions; i++)
		if (map(d, i, e) < 0)
			return -1;
	if (!s->arm)
		return 0;
	for (device = 0; d->want[device].kind != WANT_UIO; device++)
		;
	return uio_line_open(&s->line, d, d->want[device].fd, d->want[s->arm].fd, ready, e);
}

static void pass_start(struct vdev *d)
{
	struct pass *s = d->state;

	uio_line_arm(&s->line, true);
}

/* Ports: the host's kernel reaches those of the BAR and no others, the processor those that the kernel
 * has opened for this process. */
static uint64_t pass_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	const struct part *part = &((struct pass *)d->state)->part[region];
	uint32_t value = 0;

	if (d->want[part->want].kind == WANT_PORTS)
		return hostports_in((uint16_t)(part->offset + offset), width);
	if (pread(d->want[part->want].fd, &value, width, (off_t)(part->offset + offset)) !=
	    (ssize_t)width)
		return UINT32_MAX >> (32 - 8 * width);
	return value;
}

static void pass_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
		       uint64_t value)
{
	const struct part *part = &((struct pass *)d->state)->part[region];

	if (d->want[part->want].kind == WANT_PORTS) {
		hostports_out((uint16_t)(part->offset + offset), width, (uint32_t)value);
		return;
	}
	/* One that is not aligned is nobody's, as on the bus. */
	(void)!pwrite(d->want[part->want].fd, &value, width, (off_t)(part->offset + offset));
}

static void pass_stop(struct vdev *d)
{
	struct pass *s = d->state;

	uio_line_close(&s->line);
}

static void pass_destroy(struct vdev *d)
{
	struct pass *s = d->state;

	uio_line_close(&s->line);
	for (unsigned i = 0; i < d->n_regions; i++)
		if (s->part[i].host)
			munmap(s->part[i].host, d->region[i].bytes);
}

static const struct sandbox_allow syscalls[] = {
	SANDBOX_CALL(pread64),
	SANDBOX_CALL(pwrite64),
	SANDBOX_END,
};

const struct vdev_class pass_class = {
	.name = "pass",
	.summary = "memory, ports and interrupts of the host",
	.space = VDEV_MEM,
	.widths = VDEV_BYTE | VDEV_WORD | VDEV_DWORD,
	.is_pass = true,
	.intr = -1,
	.state_bytes = sizeof(struct pass),
	.check = pass_check,
	.assemble = pass_assemble,
	.start = pass_start,
	.stop = pass_stop,
	.read = pass_read,
	.write = pass_write,
	.destroy = pass_destroy,
	.syscalls = syscalls,
	.has_iothread = true,
};
