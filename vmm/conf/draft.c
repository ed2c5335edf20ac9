/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/vdev/vdev.h"

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

void draft_open(struct draft *d)
{
	*d = (struct draft){.board = must(calloc(1, sizeof *d->board))};
	*d->board = (struct board){
		.n_cpus = 0,
		.unsupported = {BOARD_FAIL, BOARD_IGNORE, BOARD_FAIL},
		.exit_on_halt = true,
		.dump_fd = -1,
	};
}

void draft_close(struct draft *d)
{
	for (unsigned i = 0; i < d->n_vdevs; i++)
		vdev_free(d->vdev[i].vdev);
	free(d->cpu);
	free(d->memory);
	free(d->load);
	free(d->vdev);
	free(d->reserve);
	board_free(d->board);
	*d = (struct draft){0};
}

static bool is_full(unsigned n, unsigned most, const char *noun, struct findings *f,
		    const struct mark *at)
{
	if (n < most)
		return false;
	finding_hint(finding_error(f, at, "there are more than %u %s", most, noun),
		     "this is the bound of one VM: remove some");
	return true;
}

/* The list with room for one element behind its n; lists double. */
static void *room(void *list, unsigned n, size_t size)
{
	if ((n & (n - 1)) == 0)
		list = must(reallocarray(list, n ? 2 * (size_t)n : 1, size));
	memset((char *)list + n * size, 0, size);
	return list;
}

struct draft_cpu *draft_add_cpu(struct draft *d, struct findings *f, const struct mark *at)
{
	struct board *b = d->board;

	if (is_full(b->n_cpus, DRAFT_CPUS, "vCPUs", f, at))
		return NULL;
	b->cpu = room(b->cpu, b->n_cpus, sizeof *b->cpu);
	b->cpu[b->n_cpus].line = at->line;
	d->cpu = room(d->cpu, b->n_cpus, sizeof *d->cpu);
	d->cpu[b->n_cpus].at = *at;
	return &d->cpu[b->n_cpus++];
}

struct draft_memory *draft_add_memory(struct draft *d, struct findings *f, const struct mark *at)
{
	if (is_full(d->n_memory, DRAFT_MEMORY, "ranges of memory", f, at))
		return NULL;
	d->memory = room(d->memory, d->n_memory, sizeof *d->memory);
	d->memory[d->n_memory].at = *at;
	return &d->memory[d->n_memory++];
}

struct draft_load *draft_add_load(struct draft *d, struct findings *f, const struct mark *at)
{
	if (is_full(d->n_loads, DRAFT_LOADS, "files to load", f, at))
		return NULL;
	d->load = room(d->load, d->n_loads, sizeof *d->load);
	d->load[d->n_loads].at = *at;
	d->load[d->n_loads].load.fd = -1;
	return &d->load[d->n_loads++];
}

struct draft_vdev *draft_add_vdev(struct draft *d, struct findings *f, const struct mark *at)
{
	if (is_full(d->n_vdevs, DRAFT_VDEVS, "vdevs", f, at))
		return NULL;
	d->vdev = room(d->vdev, d->n_vdevs, sizeof *d->vdev);
	d->vdev[d->n_vdevs].at = *at;
	return &d->vdev[d->n_vdevs++];
}

struct draft_reserve *draft_add_reserve(struct draft *d, struct findings *f, const struct mark *at)
{
	if (is_full(d->n_reserves, DRAFT_RESERVES, "reserved places", f, at))
		return NULL;
	d->reserve = room(d->reserve, d->n_reserves, sizeof *d->reserve);
	d->reserve[d->n_reserves].at = *at;
	return &d->reserve[d->n_reserves++];
}

const char *draft_vdev_label(const struct draft_vdev *v, char ret[static DRAFT_LABEL])
{
	const char *class = v->vdev ? v->vdev->class->name : v->name;

	if (v->vdev && v->vdev->class->is_pass)
		snprintf(ret, DRAFT_LABEL, "`pass`");
	else if (v->is_named && v->vdev)
		snprintf(ret, DRAFT_LABEL, "`vdev %s name %s`", class, v->vdev->name);
	else
		snprintf(ret, DRAFT_LABEL, "`vdev %s`", class);
	return ret;
}

static int by_address(const void *left, const void *right)
{
	const struct board_memory *a = left, *b = right;

	return (a->gpa > b->gpa) - (a->gpa < b->gpa);
}

struct board *draft_finish(struct draft *d)
{
	struct board *b = d->board;

	d->board = NULL;
	b->memory = must(calloc(d->n_memory + 1u, sizeof *b->memory));
	for (unsigned i = 0; i < d->n_memory; i++)
		b->memory[b->n_memory++] = d->memory[i].range;
	qsort(b->memory, b->n_memory, sizeof *b->memory, by_address);

	b->load = must(calloc(d->n_loads + 1u, sizeof *b->load));
	for (unsigned i = 0; i < d->n_loads; i++)
		b->load[b->n_loads++] = d->load[i].load;

	b->vdev = must(calloc(d->n_vdevs + 1u, sizeof(struct vdev *)));
	for (unsigned i = 0; i < d->n_vdevs; i++) {
		b->vdev[i] = d->vdev[i].vdev;
		b->vdev[i]->index = i;
		d->vdev[i].vdev = NULL;
		b->n_vdevs++;
	}
	if (b->n_cpus == 0)
		b->n_cpus = 1;
	return b;
}
