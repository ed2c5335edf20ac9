/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/usage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "client/show/age.h"
#include "client/show/field.h"
#include "client/show/size.h"
#include "client/show/table.h"
#include "client/show/term.h"
#include "client/show/vm.h"

static double of_cpu(const struct usage_row *r)
{
	return r->cpu;
}

static double of_memory(const struct usage_row *r)
{
	return (double)r->memory;
}

static double of_exits(const struct usage_row *r)
{
	return r->exits;
}

static double of_uptime(const struct usage_row *r)
{
	return (double)r->uptime_ms;
}

static const struct {
	const char *name;
	char letter;
	double (*of)(const struct usage_row *r); /* NULL = by name */
} keys[USAGE_KEYS] = {
	[USAGE_CPU] = {"cpu", 'c', of_cpu},	     [USAGE_MEMORY] = {"memory", 'm', of_memory},
	[USAGE_EXITS] = {"exits", 'e', of_exits},    [USAGE_NAME] = {"name", 'n', NULL},
	[USAGE_UPTIME] = {"uptime", 'u', of_uptime},
};

enum usage_key usage_key_of(const char *name)
{
	unsigned k = 0;

	while (k < USAGE_KEYS && strcmp(keys[k].name, name) != 0)
		k++;
	return (enum usage_key)k;
}

enum usage_key usage_key_of_letter(char letter)
{
	unsigned k = 0;

	while (k < USAGE_KEYS && keys[k].letter != letter)
		k++;
	return (enum usage_key)k;
}

/* A second of what was counted between two answers; of another worker the counts began again. */
static double rate(const json_t *before, const json_t *now, const char *name, int64_t ms)
{
	int64_t a = field_number(before, name, -1), b = field_number(now, name, -1);
	bool is_same =
		field_number(before, "generation", -1) == field_number(now, "generation", -2);

	return is_same && a >= 0 && b >= a && ms > 0 ? (double)(b - a) * 1000 / (double)ms : -1;
}

/* Both lists are by name. */
static const json_t *find(const json_t *list, size_t *at, const char *vm)
{
	const json_t *x;

	while ((x = json_array_get(list, *at)) && strcmp(field_text(x, "vm"), vm) < 0)
		++*at;
	return x && !strcmp(field_text(x, "vm"), vm) ? x : NULL;
}

void usage_make(const json_t *before, const json_t *now, bool wants_idle, struct usage *ret)
{
	const json_t *old = field_list(before, "vms"), *list = field_list(now, "vms");
	int64_t ms = field_number(now, "clock_ms", 0) - field_number(before, "clock_ms", 0);
	size_t i, at = 0;
	const json_t *x;

	*ret = (struct usage){.row = calloc(json_array_size(list) + 1, sizeof *ret->row)};
	if (!ret->row)
		abort();
	json_array_foreach ((json_t *)list, i, x) {
		const json_t *was = before ? find(old, &at, field_text(x, "vm")) : NULL;
		bool is_idle = field_number(x, "pid", 0) == 0;

		ret->n_idle += is_idle;
		if (is_idle && !wants_idle)
			continue;
		ret->row[ret->n++] = (struct usage_row){
			.vm = field_text(x, "vm"),
			.observed = field_word(x, "observed"),
			.health = field_word(x, "health"),
			.vcpus = field_number(x, "vcpus", 0),
			.uptime_ms = field_number(x, "uptime_ms", 0),
			.ram = field_number(x, "ram_bytes", 0),
			.memory = field_number(x, "memory_bytes", 0),
			.cpu = rate(was, x, "cpu_ms", ms) / 10, /* ms a second, in percent */
			.exits = rate(was, x, "exits", ms)};
	}
}

static int compare(const void *left, const void *right, void *arg)
{
	const struct usage_row *a = left, *b = right;
	const enum usage_key *k = arg;
	double x = keys[*k].of ? keys[*k].of(a) : 0, y = keys[*k].of ? keys[*k].of(b) : 0;

	return x > y ? -1 : x < y ? 1 : strcmp(a->vm, b->vm);
}

void usage_sort(struct usage *u, enum usage_key k, bool is_reversed)
{
	qsort_r(u->row, u->n, sizeof *u->row, compare, &k);
	for (size_t i = 0; is_reversed && i < u->n / 2; i++) {
		struct usage_row r = u->row[i];

		u->row[i] = u->row[u->n - 1 - i];
		u->row[u->n - 1 - i] = r;
	}
}

static void rate_cell(struct table *t, double n, int decimals, bool is_hot)
{
	char text[32];

	snprintf(text, sizeof text, "%.*f", decimals, n);
	table_cell(t, n < 0 ? TERM_DIM : is_hot ? TERM_BUSY : TERM_PLAIN, "%s", n < 0 ? "-" : text);
}

static void vm_cell(struct table *t, const struct usage_row *r)
{
	table_cell(t, TERM_BOLD, "%s", r->vm);
}

static void observed_cell(struct table *t, const struct usage_row *r)
{
	table_cell(t, vm_style("observed", r->observed), "%s", r->observed);
}

static void health_cell(struct table *t, const struct usage_row *r)
{
	table_cell(t, vm_style("health", r->health), "%s", r->health);
}

/* Hot: all its vCPUs are busy, or nearly so. */
static void cpu_cell(struct table *t, const struct usage_row *r)
{
	rate_cell(t, r->cpu, 1, r->vcpus && r->cpu > 90.0 * (double)r->vcpus);
}

static void size_cell(struct table *t, const struct usage_row *r, int64_t bytes)
{
	char size[SIZE_TEXT];

	table_cell(t, r->vcpus ? TERM_PLAIN : TERM_DIM, "%s",
		   r->vcpus ? size_text((uint64_t)bytes, size) : "-");
}

static void memory_cell(struct table *t, const struct usage_row *r)
{
	size_cell(t, r, r->memory);
}

static void ram_cell(struct table *t, const struct usage_row *r)
{
	size_cell(t, r, r->ram);
}

static void exits_cell(struct table *t, const struct usage_row *r)
{
	rate_cell(t, r->exits, 0, false);
}

static void vcpus_cell(struct table *t, const struct usage_row *r)
{
	table_cell(t, TERM_PLAIN, "%" PRId64, r->vcpus);
}

static void uptime_cell(struct table *t, const struct usage_row *r)
{
	char span[AGE_TEXT];

	table_cell(t, TERM_DIM, "%s", r->uptime_ms ? age_span(r->uptime_ms, span) : "-");
}

/* `from`: on a narrower terminal the column is left out. */
static const struct column {
	const char *head, *sorted; /* the one that the rows are sorted by has a star */
	enum usage_key key;
	enum table_align align;
	unsigned from;
	void (*cell)(struct table *t, const struct usage_row *r);
} columns[] = {
#define COLUMN(head, key, align, from, cell)                                                       \
	{                                                                                          \
		head, head "*", USAGE_##key, TABLE_##align, from, cell                             \
	}
	COLUMN("VM", NAME, LEFT, 0, vm_cell),
	COLUMN("OBSERVED", KEYS, LEFT, 50, observed_cell),
	COLUMN("HEALTH", KEYS, LEFT, 70, health_cell),
	COLUMN("CPU %", CPU, RIGHT, 0, cpu_cell),
	COLUMN("MEMORY", MEMORY, RIGHT, 30, memory_cell),
	COLUMN("OF", KEYS, RIGHT, 80, ram_cell),
	COLUMN("EXITS/S", EXITS, RIGHT, 40, exits_cell),
	COLUMN("VCPUS", KEYS, RIGHT, 90, vcpus_cell),
	COLUMN("UPTIME", UPTIME, RIGHT, 60, uptime_cell),
};

void usage_print(const struct usage *u, FILE *f, enum usage_key k, unsigned width, size_t rows)
{
	AUTO_TABLE struct table *t = table_new();
	const struct column *c;

	for (c = columns; c < columns + NELEMS(columns); c++)
		if (!width || width >= c->from)
			table_column(t, c->key == k ? c->sorted : c->head, c->align,
				     c->align == TABLE_LEFT);
	for (size_t i = 0; i < u->n && (rows == 0 || i < rows); i++)
		for (c = columns; c < columns + NELEMS(columns); c++)
			if (!width || width >= c->from)
				c->cell(t, &u->row[i]);
	table_print(t, f, 0, width);
}

static void print_cut(FILE *f, const char *line, unsigned width)
{
	size_t n = strlen(line);

	fprintf(f, "%.*s\n", (int)(width && n > width ? width : n), line);
}

void usage_print_host(const json_t *now, FILE *f, unsigned width)
{
	const json_t *c = json_object_get(now, "capacity");
	int64_t load = field_number(c, "load", 0), cpus = field_number(c, "cpus", 0);
	char a[SIZE_TEXT], b[SIZE_TEXT], up[AGE_TEXT], line[256];

	snprintf(line, sizeof line,
		 "host: %" PRId64 " CPU%s, load %" PRId64 ".%02" PRId64 ", up %s", cpus,
		 cpus == 1 ? "" : "s", load / 100, load % 100,
		 age_span(field_number(c, "uptime_ms", 0), up));
	print_cut(f, line, width);
	snprintf(line, sizeof line, "memory: %s of %s available, ",
		 size_text((uint64_t)field_number(c, "available_bytes", 0), a),
		 size_text((uint64_t)field_number(c, "memory_bytes", 0), b));
	snprintf(line + strlen(line), sizeof line - strlen(line), "%s of %s promised to guests",
		 size_text((uint64_t)field_number(c, "promised_bytes", 0), a),
		 size_text((uint64_t)field_number(c, "budget_bytes", 0), b));
	print_cut(f, line, width);
}

void usage_free(struct usage *u)
{
	free(u->row);
	*u = (struct usage){0};
}
