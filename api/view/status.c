/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - GET /v1/vms/{vm}/status: the black box of a VM's present or last worker. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/view/boxes.h"
#include "api/view/db.h"
#include "api/view/layers.h"
#include "api/view/object.h"
#include "api/http/request.h"
#include "api/view/view.h"
#include "api/view/vm.h"
#include "base/auto.h"
#include "base/clock.h"
#include "schemas/cause.h"
#include "schemas/exit_reason.h"

enum { LAST_EXITS = 32, LOG_BYTES = 8 * 1024 };

#define LOAD(x) atomic_load_explicit(&(x), memory_order_relaxed)

/* Nanoseconds ago; a time in the future is a lie or a race, and reads as now. */
static uint64_t ago_ns(uint64_t now_ns, uint64_t at_ns)
{
	return at_ns < now_ns ? now_ns - at_ns : 0;
}

static const char *word(const char *of, uint32_t i)
{
	const char *w = resource_word(of, i);

	return w ? w : resource_word(of, 0);
}

/* Several numbers may share a name ("other"); they are added up. */
static json_t *exits_of(const struct blackbox_vcpu *v, int64_t *ret_total)
{
	json_t *o = object_new();

	*ret_total = 0;
	for (unsigned i = 0; i < BLACKBOX_REASONS; i++) {
		int64_t n = object_number(LOAD(v->exits[i]));
		const char *name = exit_reason_id(i);
		int64_t sum;

		if (n == 0)
			continue;
		if (__builtin_add_overflow(*ret_total, n, ret_total))
			*ret_total = INT64_MAX;
		if (__builtin_add_overflow(json_integer_value(json_object_get(o, name)), n, &sum))
			sum = INT64_MAX;
		json_object_set_new(o, name, json_integer(sum));
	}
	return o;
}

static json_t *vcpu_object(const struct blackbox_vcpu *v, unsigned i, uint64_t now_ns)
{
	json_t *o = object_new(), *exits;
	uint64_t since_ns = LOAD(v->since_ns);
	int64_t total;

	exits = exits_of(v, &total);
	object_int(o, FIELD_vcpu_vcpu, i);
	object_word(o, FIELD_vcpu_state, word("vcpu", LOAD(v->state)));
	object_int(o, FIELD_vcpu_since_ms,
		   since_ns ? (int64_t)(ago_ns(now_ns, since_ns) / 1000000) : 0);
	object_hex(o, FIELD_vcpu_last_rip, LOAD(v->last_rip));
	object_take(o, FIELD_vcpu_exits, exits);
	object_int(o, FIELD_vcpu_exits_total, total);
	return o;
}

static json_t *vdev_object(const struct blackbox_vdev *d, uint64_t now_ns)
{
	json_t *o = object_new();
	char name[sizeof d->name];
	uint64_t alarm_ns = LOAD(d->deadline_ns);

	memcpy(name, d->name, sizeof name);
	object_bytes(o, FIELD_vdev_name, name, strnlen(name, sizeof name));
	object_count(o, FIELD_vdev_reads, LOAD(d->reads));
	object_count(o, FIELD_vdev_writes, LOAD(d->writes));
	object_count(o, FIELD_vdev_interrupts, LOAD(d->interrupts));
	object_count(o, FIELD_vdev_bytes_in, LOAD(d->bytes_in));
	object_count(o, FIELD_vdev_bytes_out, LOAD(d->bytes_out));
	object_count(o, FIELD_vdev_errors, LOAD(d->errors));
	object_count(o, FIELD_vdev_given, LOAD(d->given));
	object_count(o, FIELD_vdev_available, LOAD(d->available));
	object_count(o, FIELD_vdev_drops, LOAD(d->drops));
	if (alarm_ns)
		object_count(o, FIELD_vdev_alarm_ms, ago_ns(alarm_ns, now_ns) / 1000000);
	else
		object_take(o, FIELD_vdev_alarm_ms, json_null());
	return o;
}

static json_t *exit_object(const struct blackbox_exit *x, uint64_t now_ns)
{
	json_t *o = object_new();

	object_int(o, FIELD_vm_exit_ago_us, (int64_t)(ago_ns(now_ns, x->at_ns) / 1000));
	object_int(o, FIELD_vm_exit_vcpu, x->vcpu);
	object_text(o, FIELD_vm_exit_reason, exit_reason_id(x->reason));
	object_word(o, FIELD_vm_exit_access, !x->width ? "none" : x->is_write ? "write" : "read");
	object_hex(o, FIELD_vm_exit_address, x->address);
	object_int(o, FIELD_vm_exit_width, x->width);
	object_hex(o, FIELD_vm_exit_value, x->value);
	object_hex(o, FIELD_vm_exit_rip, x->rip);
	return o;
}

static json_t *last_exits(const struct blackbox_map *m, uint64_t now_ns)
{
	struct blackbox_exit x[LAST_EXITS];
	size_t n = blackbox_read_exits(m, x, NELEMS(x));
	json_t *list = object_list();

	for (size_t i = 0; i < n; i++)
		object_append(list, exit_object(&x[i], now_ns));
	return list;
}

static json_t *heartbeat(const struct blackbox *b, uint64_t now_ns)
{
	json_t *o = object_new();
	uint64_t at_ns = LOAD(b->heartbeat_ns);

	object_count(o, FIELD_heartbeat_beats, LOAD(b->heartbeat));
	if (at_ns)
		object_int(o, FIELD_heartbeat_age_ms, (int64_t)(ago_ns(now_ns, at_ns) / 1000000));
	else
		object_take(o, FIELD_heartbeat_age_ms, json_null());
	return o;
}

static json_t *end_object(const struct blackbox_map *m)
{
	struct blackbox_end end;
	json_t *o;

	if (!blackbox_read_end(m, &end))
		return json_null();
	o = object_new();
	object_word(o, FIELD_end_cause, cause_id(end.cause));
	object_text(o, FIELD_end_sentence, cause_sentence(end.cause));
	object_text(o, FIELD_end_detail, end.detail);
	object_int(o, FIELD_end_exit_code, end.exit_code);
	object_int(o, FIELD_end_vcpu, end.vcpu);
	if (end.err.code)
		object_take(o, FIELD_end_error, problem_make(&end.err, 0, NULL));
	return o;
}

static void put_log(json_t *o, const struct blackbox_map *m)
{
	AUTO_FREE char *log = malloc(BLACKBOX_LOG);
	uint64_t pos = 0;
	size_t n, skip;

	if (!log)
		abort();
	n = blackbox_read_log(m, &pos, log, BLACKBOX_LOG);
	skip = n > LOG_BYTES ? n - LOG_BYTES : 0;
	object_bytes(o, FIELD_status_log, log + skip, n - skip);
}

/* The newest time in the box, which may lie. */
static uint64_t last_sign_ns(const struct blackbox_map *m)
{
	uint64_t last_ns = LOAD(m->box->heartbeat_ns), now_ns = clock_mono_ns();
	struct blackbox_exit x[LAST_EXITS];
	size_t n = blackbox_read_exits(m, x, NELEMS(x));

	for (size_t i = 0; i < n; i++)
		last_ns = x[i].at_ns > last_ns ? x[i].at_ns : last_ns;
	for (uint32_t i = 0; i < m->n_vcpus; i++) {
		uint64_t since_ns = LOAD(m->vcpu[i].since_ns);

		last_ns = since_ns > last_ns ? since_ns : last_ns;
	}
	return last_ns < now_ns ? last_ns : now_ns;
}

/* Of a worker that is gone time stands still at its last sign of life, whatever its box says. */
static json_t *status_object(const struct boxes_entry *entry, bool is_gone)
{
	const struct blackbox_map *m = &entry->map;
	uint64_t now_ns = is_gone ? last_sign_ns(m) : clock_mono_ns();
	json_t *o = object_new(), *vcpus = object_list(), *vdevs = object_list();

	for (uint32_t i = 0; i < m->n_vcpus; i++)
		object_append(vcpus, vcpu_object(&m->vcpu[i], i, now_ns));
	for (uint32_t i = 0; i < m->n_vdevs; i++)
		object_append(vdevs, vdev_object(&m->vdev[i], now_ns));
	object_text(o, FIELD_status_vm, entry->vm);
	object_count(o, FIELD_status_generation, entry->generation);
	object_word(o, FIELD_status_state,
		    word("box", is_gone ? BLACKBOX_ENDED : LOAD(m->box->state)));
	object_count(o, FIELD_status_uptime_ms, boxes_uptime_ms(m, now_ns));
	object_take(o, FIELD_status_heartbeat, heartbeat(m->box, now_ns));
	object_take(o, FIELD_status_sandbox, layers_make(m->box->sandbox));
	object_take(o, FIELD_status_vcpus, vcpus);
	object_take(o, FIELD_status_vdevs, vdevs);
	object_take(o, FIELD_status_last_exits, last_exits(m, now_ns));
	object_count(o, FIELD_status_exits_total, LOAD(m->box->exits_head));
	object_int(o, FIELD_status_signs, LOAD(m->box->signs));
	object_count(o, FIELD_status_console_bytes, LOAD(m->box->console_head));
	put_log(o, m);
	object_take(o, FIELD_status_end, end_object(m));
	return o;
}

int view_vm_status(struct request *r, struct err *e)
{
	const struct boxes_entry *entry;
	bool is_gone;

	if (vm_box(r, &entry, &is_gone, e) < 0)
		return -1;
	request_answer_json(r, 200, status_object(entry, is_gone));
	return 0;
}
