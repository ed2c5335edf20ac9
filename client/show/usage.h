/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage.h - what VMs take of their host, as a table with rates. qvmadm.
 * Rates come of two answers of GET /v1/usage; the clock is the server's.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum usage_key { USAGE_CPU, USAGE_MEMORY, USAGE_EXITS, USAGE_NAME, USAGE_UPTIME, USAGE_KEYS };

struct usage_row {
	const char *vm, *observed, *health; /* of the answer */
	int64_t vcpus, uptime_ms, ram, memory;
	double cpu, exits; /* percent of one processor; a second. Below 0: not known */
};

struct usage {
	struct usage_row *row;
	size_t n, n_idle; /* those without a worker, which are not among the rows unless wanted */
};

/* "cpu", or its letter 'c'; USAGE_KEYS when it is none. */
enum usage_key usage_key_of(const char *name);
enum usage_key usage_key_of_letter(char letter);
/* From two answers, the first NULL or older. The texts are those of `now`. */
void usage_make(const json_t *before, const json_t *now, bool wants_idle, struct usage *ret);
/* Largest first, names from a to z; equal ones by name. */
void usage_sort(struct usage *u, enum usage_key k, bool is_reversed);
/* At most `rows` of them (0 = all), in `width` columns (0 = any). */
void usage_print(const struct usage *u, FILE *f, enum usage_key k, unsigned width, size_t rows);
/* "2 CPUs, load 0.42, ...": two lines about the host. */
void usage_print_host(const json_t *now, FILE *f, unsigned width);
void usage_free(struct usage *u);
