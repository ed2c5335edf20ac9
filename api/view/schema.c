/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/view/object.h"
#include "api/http/param.h"
#include "base/name.h"
#include "schemas/op.h"
#include "schemas/policy.h"
#include "schemas/resource.h"

json_t *schema_text(const char *s)
{
	return object_must(json_string(s));
}

void schema_set(json_t *o, const char *key, json_t *take_value)
{
	if (json_object_set_new(o, key, object_must(take_value)) < 0)
		abort();
}

json_t *schema_type(const char *name)
{
	return object_must(json_pack("{s:s}", "type", name));
}

json_t *schema_reference(const char *section, const char *name)
{
	char path[128];

	snprintf(path, sizeof path, "#/components/%s/%s", section, name);
	return object_must(json_pack("{s:s}", "$ref", path));
}

static json_t *words(const char *of)
{
	json_t *o = schema_type("string"), *list = object_list();
	const char *word;

	for (unsigned i = 0; (word = resource_word(of, i)); i++)
		object_append(list, schema_text(word));
	schema_set(o, "enum", list);
	return o;
}

static json_t *list_of(json_t *take_items)
{
	return object_must(json_pack("{s:s,s:o}", "type", "array", "items", take_items));
}

static json_t *map_of(const char *values)
{
	return object_must(json_pack("{s:s,s:{s:s}}", "type", "object", "additionalProperties",
				     "type", values));
}

static json_t *kind_schema(const struct resource_field *f)
{
	json_t *o;

	switch (f->kind) {
	case FIELD_INTEGER:
		o = schema_type("integer");
		schema_set(o, "format", schema_text("int64"));
		return o;
	case FIELD_BOOL: return schema_type("boolean");
	case FIELD_TIME:
		o = schema_type("string");
		schema_set(o, "format", schema_text("date-time"));
		return o;
	case FIELD_HEX:
		o = schema_type("string");
		schema_set(o, "pattern", schema_text("^0x[0-9a-f]+$"));
		return o;
	case FIELD_WORD: return words(f->of);
	case FIELD_OBJECT: return schema_reference("schemas", f->of);
	case FIELD_LIST: return list_of(schema_reference("schemas", f->of));
	case FIELD_TEXTS: return list_of(schema_type("string"));
	case FIELD_COUNTS: return map_of("integer");
	case FIELD_FACTS: return map_of("string");
	case FIELD_TEXT: break;
	}
	return schema_type("string");
}

static json_t *field_schema(const struct resource_field *f)
{
	json_t *o = kind_schema(f), *plain = json_object_get(o, "type");

	if (f->presence == FIELD_NULLABLE && plain)
		schema_set(o, "type", json_pack("[s,s]", json_string_value(plain), "null"));
	else if (f->presence == FIELD_NULLABLE)
		o = object_must(json_pack("{s:[o,{s:s}]}", "anyOf", o, "type", "null"));
	schema_set(o, "description", schema_text(f->what));
	return o;
}

static json_t *policy_property(const struct policy_field *f)
{
	json_t *o, *list;

	switch (f->kind) {
	case POLICY_BOOL:
		o = schema_type("boolean");
		schema_set(o, "default", json_boolean(f->def));
		break;
	case POLICY_REACTION:
		o = schema_type("string");
		list = object_list();
		for (int64_t r = 0; r < REACTION_COUNT; r++)
			object_append(list, schema_text(reaction_id(r)));
		schema_set(o, "enum", list);
		schema_set(o, "default", schema_text(reaction_id(f->def)));
		break;
	case POLICY_NAME:
		o = schema_type("string");
		schema_set(o, "pattern", schema_text("^(" NAME_PATTERN ")?$"));
		schema_set(o, "default", schema_text(""));
		break;
	case POLICY_NAMES:
		o = schema_type("array");
		list = schema_type("string");
		schema_set(list, "pattern", schema_text("^" NAME_PATTERN "$"));
		schema_set(o, "items", list);
		schema_set(o, "maxItems", json_integer(f->max));
		schema_set(o, "default", object_list());
		break;
	default:
		o = schema_type("integer");
		schema_set(o, "minimum", json_integer(f->min));
		schema_set(o, "maximum", json_integer(f->max));
		schema_set(o, "default", json_integer(f->def));
		break;
	}
	schema_set(o, "description", schema_text(f->what));
	return o;
}

/* In a patch, null stands for the default. */
static json_t *policy_patch_property(const struct policy_field *f)
{
	json_t *o = policy_property(f), *words = json_object_get(o, "enum");
	char type[16];

	snprintf(type, sizeof type, "%s", json_string_value(json_object_get(o, "type")));
	schema_set(o, "type", json_pack("[s,s]", type, "null"));
	if (words)
		object_append(words, json_null());
	json_object_del(o, "default"); /* what is left out stays */
	return o;
}

static bool is_input(enum resource r)
{
	for (unsigned i = 0; i < OP_COUNT; i++)
		if (!strcmp(op_table[i].in, resource_name(r)))
			return true;
	return r == RESOURCE_policy || r == RESOURCE_policy_patch;
}

static json_t *resource_schema(enum resource r)
{
	json_t *o = schema_type("object"), *properties = object_new(), *required = object_list();

	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		const struct resource_field *f = &resource_fields[i];

		if (f->resource != r)
			continue;
		schema_set(properties, f->name, field_schema(f));
		if (f->presence != FIELD_MAYBE)
			object_append(required, schema_text(f->name));
	}
	for (unsigned i = 0; r == RESOURCE_policy && i < policy_n_fields; i++)
		schema_set(properties, policy_fields[i].name, policy_property(&policy_fields[i]));
	for (unsigned i = 0; r == RESOURCE_policy_patch && i < policy_n_fields; i++)
		schema_set(properties, policy_fields[i].name,
			   policy_patch_property(&policy_fields[i]));
	schema_set(o, "description", schema_text(resource_what(r)));
	if (json_object_size(properties))
		schema_set(o, "properties", properties);
	else
		json_decref(properties);
	if (json_array_size(required))
		schema_set(o, "required", required);
	else
		json_decref(required);
	/* A client must pass over members that it does not know; the server refuses them. */
	if (is_input(r))
		schema_set(o, "additionalProperties", json_false());
	return o;
}

json_t *schema_of_param(const struct param_row *p)
{
	json_t *o = schema_type(p->kind == PARAM_NUMBER || p->kind == PARAM_FLAG ? "integer"
										 : "string");

	switch (p->kind) {
	case PARAM_NUMBER:
	case PARAM_FLAG:
		schema_set(o, "minimum", json_integer(p->min));
		if (p->max != INT64_MAX)
			schema_set(o, "maximum", json_integer(p->max));
		if (p->def >= 0)
			schema_set(o, "default", json_integer(p->def));
		break;
	case PARAM_SPAN:
		schema_set(o, "pattern", schema_text("^[0-9]+(ms|s|m)?$"));
		schema_set(o, "examples", json_pack("[s,s]", "500ms", "30s"));
		break;
	case PARAM_NAME: schema_set(o, "pattern", schema_text("^" NAME_PATTERN "$")); break;
	case PARAM_TEXT: schema_set(o, "maxLength", json_integer(p->max)); break;
	}
	return o;
}

/* Every error that a problem's type can name. */
static void list_types(json_t *problem)
{
	json_t *list = object_list(),
	       *type_field = json_object_get(json_object_get(problem, "properties"), "type");
	char urn[64];

	for (unsigned c = 1; c < ERR_COUNT; c++) {
		snprintf(urn, sizeof urn, "urn:qvm:error:%s", err_id((enum err_code)c));
		object_append(list, schema_text(urn));
	}
	schema_set(type_field, "enum", list);
}

json_t *schema_all(void)
{
	json_t *all = object_new();

	for (unsigned r = 0; r < RESOURCE_COUNT; r++)
		if (r != RESOURCE_none && r != RESOURCE_text && r != RESOURCE_document &&
		    r != RESOURCE_file)
			schema_set(all, resource_name((enum resource)r),
				   resource_schema((enum resource)r));
	list_types(json_object_get(all, "problem"));
	return all;
}
