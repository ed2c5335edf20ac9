/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/finding.h"

#include "api/view/object.h"

json_t *finding_make(const struct diagnostic *d)
{
	struct diagnostic safe = *d;
	json_t *o = object_new();

	diagnostic_sane(&safe);
	object_word(o, FIELD_diagnostic_severity, diagnostic_severity_id(safe.severity));
	object_text(o, FIELD_diagnostic_file, safe.file);
	object_int(o, FIELD_diagnostic_line, safe.line);
	object_int(o, FIELD_diagnostic_column, safe.column);
	object_int(o, FIELD_diagnostic_length, safe.length);
	object_text(o, FIELD_diagnostic_source, safe.source);
	object_text(o, FIELD_diagnostic_what, safe.what);
	object_text(o, FIELD_diagnostic_hint, safe.hint);
	return o;
}

json_t *finding_want(const struct msg_want *w)
{
	json_t *o = object_new();

	object_word(o, FIELD_want_kind, want_kind_id(w->kind));
	object_text(o, FIELD_want_path, w->path);
	object_int(o, FIELD_want_bytes, (int64_t)w->bytes);
	object_text(o, FIELD_want_option, w->option);
	object_int(o, FIELD_want_line, w->line);
	return o;
}

json_t *finding_plan(const struct msg_plan *p, json_t *take_wants)
{
	json_t *o = object_new();

	object_int(o, FIELD_plan_vcpus, p->n_vcpus);
	object_int(o, FIELD_plan_vdevs, p->n_vdevs);
	object_int(o, FIELD_plan_ram_bytes, (int64_t)p->ram_bytes);
	object_int(o, FIELD_plan_rom_bytes, (int64_t)p->rom_bytes);
	object_take(o, FIELD_plan_wants, take_wants);
	return o;
}
