/* SPDX-License-Identifier: Apache-2.0 */
/* map.c - GET /v1/vms/{vm}/map: who answers what, from the black box. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/http/request.h"
#include "api/view/boxes.h"
#include "api/view/object.h"
#include "api/view/view.h"
#include "api/view/vm.h"
#include "base/auto.h"

enum { PCI_FUNCTIONS = 8 };

static json_t *vdev_number(const struct blackbox_place *p)
{
	return p->vdev < 0 ? json_null() : json_integer(p->vdev);
}

static json_t *range_object(const struct blackbox_place *p)
{
	json_t *o = object_new();
	uint64_t last;

	/* The worker may have written any size. */
	if (__builtin_add_overflow(p->base, p->bytes ? p->bytes - 1 : 0, &last))
		last = UINT64_MAX;
	object_hex(o, FIELD_place_first, p->base);
	object_hex(o, FIELD_place_last, last);
	object_int(o, FIELD_place_bytes, p->bytes > INT64_MAX ? INT64_MAX : (int64_t)p->bytes);
	object_word(o, FIELD_place_class, resource_word("class", p->class));
	object_text(o, FIELD_place_owner, p->name);
	object_take(o, FIELD_place_vdev, vdev_number(p));
	if (p->bar)
		object_int(o, FIELD_place_bar, p->bar - 1);
	object_bool(o, FIELD_place_on, p->is_on);
	return o;
}

static json_t *line_object(const struct blackbox_place *p)
{
	json_t *o = object_new();

	object_int(o, FIELD_map_line_line, (int64_t)(p->base & INT64_MAX));
	object_text(o, FIELD_map_line_owner, p->name);
	object_take(o, FIELD_map_line_vdev, vdev_number(p));
	return o;
}

static json_t *function_object(const struct blackbox_place *p)
{
	json_t *o = object_new();
	char address[32];

	snprintf(address, sizeof address, "00:%02" PRIx64 ".%u", p->base / PCI_FUNCTIONS,
		 (unsigned)(p->base % PCI_FUNCTIONS));
	object_text(o, FIELD_map_function_address, address);
	object_text(o, FIELD_map_function_owner, p->name);
	object_take(o, FIELD_map_function_vdev, vdev_number(p));
	return o;
}

/* What is off has no place; of two that begin together the larger is the frame of the other. */
static int by_place(const void *left, const void *right)
{
	const struct blackbox_place *a = left, *b = right;
	uint64_t from_a = atomic_load(&a->base), from_b = atomic_load(&b->base);

	if (!a->is_on != !b->is_on)
		return a->is_on ? -1 : 1;
	if (from_a != from_b)
		return from_a < from_b ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* A copy: the worker may write on while it is sorted. */
static size_t copy_places(const struct blackbox_map *m, struct blackbox_place *ret)
{
	uint32_t n = 0;

	while (n < BLACKBOX_PLACES && blackbox_read_place(m, n, &ret[n]))
		n++;
	qsort(ret, n, sizeof *ret, by_place);
	return n;
}

static json_t *map_object(const struct boxes_entry *entry, bool is_gone)
{
	static const struct {
		enum field list;
		json_t *(*make)(const struct blackbox_place *p);
	} spaces[] = {
		[BLACKBOX_MEMORY] = {FIELD_map_memory, range_object},
		[BLACKBOX_PORT] = {FIELD_map_ports, range_object},
		[BLACKBOX_LINE] = {FIELD_map_interrupts, line_object},
		[BLACKBOX_SLOT] = {FIELD_map_functions, function_object},
	};
	AUTO_FREE struct blackbox_place *place = calloc(BLACKBOX_PLACES, sizeof *place);
	json_t *o = object_new(), *list[NELEMS(spaces)];
	uint32_t told = atomic_load(&entry->map.box->n_places);
	uint32_t state = atomic_load(&entry->map.box->state);
	const char *word = resource_word("box", is_gone ? BLACKBOX_ENDED : state);
	size_t n;

	if (!place)
		abort();
	n = copy_places(&entry->map, place);
	object_text(o, FIELD_map_vm, entry->vm);
	object_int(o, FIELD_map_generation, (int64_t)(entry->generation & INT64_MAX));
	object_word(o, FIELD_map_state, word ? word : resource_word("box", BLACKBOX_EMPTY));
	for (size_t s = 0; s < NELEMS(spaces); s++) {
		list[s] = object_list();
		object_take(o, spaces[s].list, list[s]);
	}
	for (size_t i = 0; i < n; i++)
		if (place[i].is_on || place[i].bar) /* else it is kept for what may come */
			object_append(list[place[i].space], spaces[place[i].space].make(&place[i]));
	object_int(o, FIELD_map_more, told > n ? told - (int64_t)n : 0);
	return o;
}

int view_vm_map(struct request *r, struct err *e)
{
	const struct boxes_entry *entry;
	bool is_gone;

	if (vm_box(r, &entry, &is_gone, e) < 0)
		return -1;
	request_answer_json(r, 200, map_object(entry, is_gone));
	return 0;
}
