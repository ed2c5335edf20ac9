/* SPDX-License-Identifier: Apache-2.0 */
/* incident.c - GET /v1/vms/{vm}/incidents: what failed, with its last exits and words. */
#include <stdio.h>

#include "api/api.h"
#include "api/view/db.h"
#include "api/view/object.h"
#include "api/http/request.h"
#include "api/view/view.h"
#include "api/view/vm.h"

/* Columns of INCIDENT_COLUMNS in statements.def. */
enum {
	ID,
	VM,
	AT,
	GENERATION,
	REVISION,
	CAUSE,
	SENTENCE,
	DETAIL,
	REACTION,
	EXIT_CODE,
	SIGNAL,
	SYSCALL,
	UPTIME,
	CONSOLE,
	LOG,
	ERROR_ID,
	ERROR,
	ORIGIN,
	DUMP,
	NOTICED,
	CPU,
	PEAK,
	EXITS_TOTAL,
};

static json_t *row_object(struct sqlite3_stmt *q)
{
	json_t *o = object_new();

	object_int(o, FIELD_incident_id, db_int(q, ID));
	object_text(o, FIELD_incident_vm, db_text(q, VM));
	object_time(o, FIELD_incident_at, db_int(q, AT));
	object_int(o, FIELD_incident_generation, db_int(q, GENERATION));
	object_int(o, FIELD_incident_revision, db_int(q, REVISION));
	object_word(o, FIELD_incident_cause, db_text(q, CAUSE));
	object_text(o, FIELD_incident_sentence, db_text(q, SENTENCE));
	object_text(o, FIELD_incident_detail, db_text(q, DETAIL));
	object_text(o, FIELD_incident_reaction, db_text(q, REACTION));
	object_int(o, FIELD_incident_exit_code, db_int(q, EXIT_CODE));
	object_text(o, FIELD_incident_signal, db_text(q, SIGNAL));
	object_text(o, FIELD_incident_syscall, db_text(q, SYSCALL));
	object_time(o, FIELD_incident_noticed, db_int(q, NOTICED));
	object_int(o, FIELD_incident_cpu_ms, db_int(q, CPU));
	object_int(o, FIELD_incident_peak_bytes, db_int(q, PEAK));
	object_int(o, FIELD_incident_exits_total, db_int(q, EXITS_TOTAL));
	object_int(o, FIELD_incident_uptime_ms, db_int(q, UPTIME));
	object_text(o, FIELD_incident_dump, db_text(q, DUMP));
	object_bytes(o, FIELD_incident_console, db_text(q, CONSOLE), db_bytes(q, CONSOLE));
	object_bytes(o, FIELD_incident_log, db_text(q, LOG), db_bytes(q, LOG));
	if (*db_text(q, ERROR_ID))
		object_take(o, FIELD_incident_error,
			    problem_of_row(db_text(q, ERROR_ID), db_text(q, ERROR),
					   db_text(q, ORIGIN), ""));
	return o;
}

static json_t *exit_object(struct sqlite3_stmt *q)
{
	enum { AGO, VCPU, REASON, IS_WRITE, ADDRESS, WIDTH, VALUE, RIP };
	json_t *o = object_new();

	object_int(o, FIELD_vm_exit_ago_us, db_int(q, AGO));
	object_int(o, FIELD_vm_exit_vcpu, db_int(q, VCPU));
	object_text(o, FIELD_vm_exit_reason, db_text(q, REASON));
	object_word(o, FIELD_vm_exit_access,
		    !db_int(q, WIDTH)	  ? "none"
		    : db_int(q, IS_WRITE) ? "write"
					  : "read");
	object_hex(o, FIELD_vm_exit_address, (uint64_t)db_int(q, ADDRESS));
	object_int(o, FIELD_vm_exit_width, db_int(q, WIDTH));
	object_hex(o, FIELD_vm_exit_value, (uint64_t)db_int(q, VALUE));
	object_hex(o, FIELD_vm_exit_rip, (uint64_t)db_int(q, RIP));
	return o;
}

/* "rax=0x1 rbx=0x2 ..." */
static json_t *registers_object(const char *text)
{
	json_t *o = object_new();
	char name[16], value[24];
	int n;

	for (; sscanf(text, "%15[^= ]=%23s%n", name, value, &n) == 2; text += n + (text[n] == ' '))
		json_object_set_new(o, name, json_string(value));
	return o;
}

static json_t *vcpu_object(struct sqlite3_stmt *q)
{
	enum { VCPU, STATE, RIP, EXITS, REGISTERS };
	json_t *o = object_new();

	object_int(o, FIELD_incident_vcpu_vcpu, db_int(q, VCPU));
	object_text(o, FIELD_incident_vcpu_state, db_text(q, STATE));
	object_hex(o, FIELD_incident_vcpu_rip, (uint64_t)db_int(q, RIP));
	object_int(o, FIELD_incident_vcpu_exits, db_int(q, EXITS));
	object_take(o, FIELD_incident_vcpu_registers, registers_object(db_text(q, REGISTERS)));
	return o;
}

static int rows(struct db *d, struct sqlite3_stmt *q, json_t *(*make)(struct sqlite3_stmt *q),
		json_t *list, struct err *e)
{
	int got;

	while ((got = db_row(d, q, e)) > 0)
		object_append(list, make(q));
	return got;
}

static int add_details(struct db *d, json_t *incident, int64_t id, struct err *e)
{
	json_t *exits = object_list(), *vcpus = object_list();

	object_take(incident, FIELD_incident_exits, exits);
	object_take(incident, FIELD_incident_vcpus, vcpus);
	if (rows(d, db_query(d, incident_exits, DB_INT(id)), exit_object, exits, e) < 0)
		return -1;
	return rows(d, db_query(d, incident_vcpus, DB_INT(id)), vcpu_object, vcpus, e);
}

int view_vm_incidents(struct request *r, struct err *e)
{
	struct db *d = r->api->db;
	AUTO_SNAPSHOT struct db_snapshot s = {0};
	AUTO_JSON json_t *o = object_new(), *list = object_list();
	int64_t limit = param_number(&r->params, PARAM_OF_vm_incidents_limit);
	int64_t before = param_number(&r->params, PARAM_OF_vm_incidents_before), id, revision;
	struct sqlite3_stmt *q;
	int got;

	if (db_begin(d, e) < 0)
		return -1;
	s.db = d;
	if (vm_find(d, request_vm(r), &id, &revision, e) < 0)
		return -1;
	q = db_query(d, incidents, DB_TEXT(request_vm(r)), DB_INT(before < 0 ? INT64_MAX : before),
		     DB_INT(limit + 1));
	while ((got = db_row(d, q, e)) > 0 && json_array_size(list) < (size_t)limit) {
		json_t *incident = row_object(q);

		object_append(list, incident);
		id = db_int(q, ID);
		if (add_details(d, incident, id, e) < 0) {
			db_leave(q);
			return -1;
		}
	}
	if (got < 0)
		return -1;
	object_take(o, FIELD_incident_list_incidents, json_incref(list));
	if (got > 0) {
		object_int(o, FIELD_incident_list_next, id);
		db_leave(q);
	}
	request_answer_json(r, 200, json_incref(o));
	return 0;
}
