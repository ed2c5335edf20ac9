/* SPDX-License-Identifier: Apache-2.0 */
/* usage.c - GET /v1/usage: what each VM takes of the host, from the kernel and the black boxes. */
#include "api/view/usage.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/api.h"
#include "api/http/request.h"
#include "api/view/boxes.h"
#include "api/view/db.h"
#include "api/view/object.h"
#include "api/view/view.h"
#include "base/clock.h"

#define LOAD(x) atomic_load_explicit(&(x), memory_order_relaxed)

enum { NAME, OBSERVED, HEALTH, PID, GENERATION };

static uint64_t sum(uint64_t a, uint64_t b)
{
	return __builtin_add_overflow(a, b, &a) ? UINT64_MAX : a;
}

int64_t usage_cpu_ms(int64_t pid)
{
	enum { CPUCLOCK_SCHED = 2, PID_SHIFT = 3 }; /* posix-timers_types.h of the kernel */
	struct timespec t;

	/* As clock_getcpuclockid() makes it, which asks once more whether there is such a process. */
	if (pid <= 0 || pid > INT32_MAX ||
	    clock_gettime((clockid_t)(~(uint32_t)pid << PID_SHIFT | CPUCLOCK_SCHED), &t) < 0)
		return -1;
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* By the board's map, which its worker drew: the memory that was granted for it. */
static uint64_t ram_bytes(const struct blackbox_map *m)
{
	struct blackbox_place p;
	uint64_t bytes = 0;

	for (uint32_t i = 0; blackbox_read_place(m, i, &p); i++)
		if (p.space == BLACKBOX_MEMORY &&
		    (p.class == BLACKBOX_RAM || p.class == BLACKBOX_ROM))
			bytes = sum(bytes, p.bytes);
	return bytes;
}

static uint64_t exits(const struct blackbox_map *m)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < m->n_vcpus; i++)
		for (unsigned r = 0; r < BLACKBOX_REASONS; r++)
			n = sum(n, LOAD(m->vcpu[i].exits[r]));
	return n;
}

/* NULL: it has no worker, or the box of this one is not here yet. */
static const struct blackbox_map *box_of(const struct api *api, struct sqlite3_stmt *q)
{
	const struct boxes_entry *entry = boxes_find(api->boxes, db_text(q, NAME));
	bool is_present = entry && entry->generation == (uint64_t)db_int(q, GENERATION);

	return db_int(q, PID) > 0 && is_present ? &entry->map : NULL;
}

static json_t *usage_object(const struct api *api, struct sqlite3_stmt *q, uint64_t now_ns)
{
	const struct blackbox_map *m = box_of(api, q);
	int64_t cpu_ms = usage_cpu_ms(db_int(q, PID));
	json_t *o = object_new();

	object_text(o, FIELD_usage_vm, db_text(q, NAME));
	object_word(o, FIELD_usage_observed, db_text(q, OBSERVED));
	object_word(o, FIELD_usage_health, db_text(q, HEALTH));
	object_int(o, FIELD_usage_pid, db_int(q, PID));
	object_int(o, FIELD_usage_generation, db_int(q, GENERATION));
	object_int(o, FIELD_usage_vcpus, m ? m->n_vcpus : 0);
	object_count(o, FIELD_usage_uptime_ms, m ? boxes_uptime_ms(m, now_ns) : 0);
	if (db_int(q, PID) == 0 || cpu_ms >= 0)
		object_int(o, FIELD_usage_cpu_ms, cpu_ms > 0 ? cpu_ms : 0);
	else
		object_take(o, FIELD_usage_cpu_ms, json_null());
	object_count(o, FIELD_usage_ram_bytes, m ? ram_bytes(m) : 0);
	object_int(o, FIELD_usage_memory_bytes,
		   m ? (int64_t)LOAD(m->box->ram_pages) * BLACKBOX_PAGE : 0);
	object_count(o, FIELD_usage_exits, m ? exits(m) : 0);
	return o;
}

/* To all that have a worker, of whatever scope the caller is. */
static int promised(const struct api *api, uint64_t *ret, struct err *e)
{
	struct sqlite3_stmt *q = db_query(api->db, usage, DB_TEXT(""));
	int got;

	*ret = 0;
	while ((got = db_row(api->db, q, e)) > 0) {
		const struct blackbox_map *m = box_of(api, q);

		*ret = sum(*ret, m ? ram_bytes(m) : 0);
	}
	return got;
}

static int64_t fact(struct db *d, const char *key)
{
	struct sqlite3_stmt *q = db_query(d, fact, DB_TEXT(key));
	struct err unused;
	int64_t n = 0;

	if (db_row(d, q, &unused) > 0) {
		n = strtoll(db_text(q, 0), NULL, 10);
		db_leave(q);
	}
	return n;
}

int usage_capacity(struct api *api, json_t **ret, struct err *e)
{
	struct window_memory m = window_memory(&api->window);
	uint64_t to_guests, up_ms, load;
	json_t *o;

	if (promised(api, &to_guests, e) < 0)
		return -1;
	window_uptime(&up_ms, &load);
	o = object_new();
	object_int(o, FIELD_capacity_cpus, fact(api->db, "cpus"));
	object_count(o, FIELD_capacity_load, load);
	object_count(o, FIELD_capacity_uptime_ms, up_ms);
	object_count(o, FIELD_capacity_memory_bytes, m.total);
	object_count(o, FIELD_capacity_available_bytes, m.available);
	object_int(o, FIELD_capacity_budget_bytes, fact(api->db, "memory_budget_bytes"));
	object_count(o, FIELD_capacity_promised_bytes, to_guests);
	object_count(o, FIELD_capacity_swap_bytes, m.swap_used);
	object_count(o, FIELD_capacity_huge_page_bytes, m.huge_page);
	object_count(o, FIELD_capacity_huge_pages, m.huge_pages);
	object_count(o, FIELD_capacity_huge_pages_free, m.huge_pages_free);
	*ret = o;
	return 0;
}

int view_usage_list(struct request *r, struct err *e)
{
	struct api *api = r->api;
	AUTO_JSON json_t *o = object_new(), *list = object_list();
	uint64_t now_ns = clock_mono_ns();
	struct sqlite3_stmt *q;
	json_t *capacity;
	int got;

	if (usage_capacity(api, &capacity, e) < 0)
		return -1;
	object_take(o, FIELD_usage_list_capacity, capacity);
	q = db_query(api->db, usage, DB_TEXT(r->grant.scope));
	while ((got = db_row(api->db, q, e)) > 0)
		object_append(list, usage_object(api, q, now_ns));
	if (got < 0)
		return -1;
	object_count(o, FIELD_usage_list_clock_ms, now_ns / 1000000);
	object_take(o, FIELD_usage_list_vms, json_incref(list));
	request_answer_json(r, 200, json_incref(o));
	return 0;
}
