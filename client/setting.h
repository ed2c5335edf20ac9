/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setting.h - fields of a policy as people write them: FIELD=VALUE as an argument, `field = value` in a
 * file. qvmadm. A number that counts milliseconds may have a unit, as in 30s.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

struct source;

/* "FIELD=VALUE" into a policy; the ranges are the server's to judge. FIELD= is null, which a patch takes for
 * the default. ERR_USAGE names the nearest field, or what a value would be. */
int setting_take(json_t *policy, const char *given, struct err *e);
/* A policy as a file: a line each field that has not its default, in the order of the table. The caller
 * frees it. */
char *setting_print(const json_t *policy);
/* The same to be edited: every field, explained; those that have their default behind a #. */
char *setting_document(const json_t *policy);
/* Every field as null: a patch that gives all of them their defaults. */
json_t *setting_defaults(void);
/* A whole policy from such a file: blank lines and those that begin with # are passed over. -1: *ret holds
 * the findings instead, for finding_print(). The caller owns it. */
int setting_parse(const struct source *s, json_t **ret);
/* "30000", "db, log": a value of a policy. */
const char *setting_value(const json_t *value, char *ret, size_t cap);
/* Of a whole policy, what is left out has its default, and so has what is null: take it away. */
void setting_drop_nulls(json_t *policy);
/* Each field with its default, for --help. */
void setting_print_fields(FILE *f);
