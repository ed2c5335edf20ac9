/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h - JSON Schemas of what travels over REST, from resources.def, policy.def and params.def,
 * for the OpenAPI document. Pure. qvm-api.
 */
#pragma once

#include <jansson.h>

struct param_row;

/* {"resource": schema, ...} of all objects. */
json_t *schema_all(void);
json_t *schema_of_param(const struct param_row *p);

/* Pieces to build the document with; no memory aborts. */
json_t *schema_type(const char *name);				 /* {"type": name} */
json_t *schema_reference(const char *section, const char *name); /* {"$ref": ...} */
json_t *schema_text(const char *s);
void schema_set(json_t *o, const char *key, json_t *take_value);
