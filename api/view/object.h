/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object.h - a JSON object of resources.def, member by member. qvm-api.
 *
 * A member is named by its enumerator, so one that is not in the table does not compile; a value of
 * another kind than the table says is a defect and aborts. Text may hold any bytes: what is not
 * UTF-8 becomes U+FFFD. No memory aborts: the supervisor starts the process again.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "schemas/resource.h"

json_t *object_must(json_t *j); /* itself; NULL, for want of memory, aborts */
json_t *object_new(void);
json_t *object_list(void);
void object_text(json_t *o, enum field f, const char *s);
void object_bytes(json_t *o, enum field f, const char *s, size_t n);
void object_int(json_t *o, enum field f, int64_t v);
/* JSON numbers are signed; what is beyond, as a counter that a worker has set, is shown as the largest. */
int64_t object_number(uint64_t n);
void object_count(json_t *o, enum field f, uint64_t n);
void object_bool(json_t *o, enum field f, bool v);
void object_hex(json_t *o, enum field f, uint64_t v);
void object_word(json_t *o, enum field f, const char *word);
/* Wall milliseconds; 0 of a NULLABLE member is null. */
void object_time(json_t *o, enum field f, int64_t wall_ms);
/* An object, a list or null (of a NULLABLE member). */
void object_take(json_t *o, enum field f, json_t *take_value);
/* Append to a list. */
void object_append(json_t *list, json_t *take_value);
/* "an object", "null": for errors. */
const char *object_kind(const json_t *j);
/* Text of any bytes as a JSON string. */
json_t *object_string(const char *s, size_t n);

static inline void object_done(json_t **j)
{
	json_decref(*j);
}
#define AUTO_JSON __attribute__((cleanup(object_done)))
