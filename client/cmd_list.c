/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/name.h"
#include "base/str.h"
#include "client/show/age.h"
#include "client/command.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/table.h"
#include "client/show/vm.h"
#include "schemas/lifecycle.h"

/* What follows by itself: a restart, or nothing until an operator acts. */
static const char *next_step(const json_t *vm, int64_t now_ms, char ret[static AGE_TEXT])
{
	const char *restart_at = field_text(vm, "restart_at");

	if (age_parse(restart_at) > 0)
		return age_text(restart_at, now_ms, ret);
	return strcmp(field_word(vm, "observed"), "safe") != 0 ? "-" : "release";
}

static bool has_role(const json_t *vm)
{
	return *field_text(vm, "partner") != '\0';
}

/* Columns that are not always there. */
struct form {
	bool is_wide, has_roles;
};

static void add_row(struct table *t, const json_t *vm, struct form form, int64_t now_ms)
{
	static const char *const column[] = {"desired", "observed", "health", "cause"};
	int64_t pid = field_number(vm, "pid", 0);
	char since[AGE_TEXT], next[AGE_TEXT];

	table_cell(t, TERM_BOLD, "%s", field_word(vm, "name"));
	for (size_t i = 0; i < NELEMS(column); i++) {
		const char *word = field_word(vm, column[i]);

		table_cell(t, vm_style(column[i], word), "%s", strcmp(word, "none") ? word : "-");
	}
	if (pid > 0)
		table_cell(t, TERM_PLAIN, "%" PRId64, pid);
	else
		table_cell(t, TERM_DIM, "-");
	table_cell(t, TERM_PLAIN, "%s", age_text(field_text(vm, "since"), now_ms, since));
	table_cell(t, TERM_PLAIN, "%" PRId64, field_number(vm, "restarts", 0));
	table_cell(t, TERM_PLAIN, "%s", next_step(vm, now_ms, next));
	if (form.has_roles)
		table_cell(t, TERM_PLAIN, "%s%s", has_role(vm) ? field_text(vm, "role") : "-",
			   has_role(vm) && field_true(vm, "active") ? ", active" : "");
	if (!form.is_wide)
		return;
	table_cell(t, TERM_PLAIN, "%" PRId64, field_number(vm, "revision", 0));
	table_cell(t, TERM_PLAIN, "%s", field_word(vm, "reason"));
}

static void print_table(const struct command_call *c, const json_t *vms)
{
	struct form form = {.is_wide = c->output == OUTPUT_WIDE};
	AUTO_TABLE struct table *t = table_new();
	int64_t now_ms = clock_wall_ms();
	const json_t *vm;
	size_t i;

	table_column(t, "NAME", TABLE_LEFT, true);
	table_column(t, "DESIRED", TABLE_LEFT, false);
	table_spare(t, 3);
	table_column(t, "OBSERVED", TABLE_LEFT, false);
	table_column(t, "HEALTH", TABLE_LEFT, false);
	table_column(t, "LAST END", TABLE_LEFT, true);
	table_spare(t, 2);
	table_column(t, "PID", TABLE_RIGHT, false);
	table_spare(t, 5);
	table_column(t, "SINCE", TABLE_LEFT, false);
	table_spare(t, 1);
	table_column(t, "RESTARTS", TABLE_RIGHT, false);
	table_spare(t, 4);
	table_column(t, "NEXT", TABLE_LEFT, false);
	json_array_foreach ((json_t *)vms, i, vm)
		form.has_roles |= has_role(vm);
	if (form.has_roles)
		table_column(t, "ROLE", TABLE_LEFT, false);
	if (form.is_wide) {
		table_column(t, "REVISION", TABLE_RIGHT, false);
		table_column(t, "REASON", TABLE_LEFT, true);
	}
	json_array_foreach ((json_t *)vms, i, vm)
		add_row(t, vm, form, now_ms);
	table_print(t, stdout, 0, command_width(c));
}

/* The value of a column that --state, --health or --name has to match; several of one: either. */
static const struct filter {
	const char *option, *column;
} filters[] = {{"--state", "observed"}, {"--health", "health"}, {"--name", "name"}};

static bool passes(const struct command_call *c, const json_t *vm, const struct filter *f)
{
	const char *word = field_text(vm, f->column);
	bool is_asked = false;

	for (unsigned i = 0; i < c->n_given; i++) {
		if (strcmp(c->given[i].option->name, f->option) != 0)
			continue;
		if (fnmatch(c->given[i].value, word, 0) == 0)
			return true;
		is_asked = true;
	}
	return !is_asked;
}

static void filter(const struct command_call *c, json_t *vms)
{
	for (size_t i = json_array_size(vms); i--;)
		for (size_t f = 0; f < NELEMS(filters); f++)
			if (!passes(c, json_array_get(vms, i), &filters[f])) {
				json_array_remove(vms, i);
				break;
			}
}

/* --sort WORD: by a text, the longest ago first, or the most first. */
static const struct order {
	const char *word, *member;
	bool is_number;
} orders[] = {{"name", "name", false},
	      {"state", "observed", false},
	      {"health", "health", false},
	      {"since", "since", false},
	      {"restarts", "restarts", true}};

static int compare(const void *a, const void *b, void *arg)
{
	const json_t *const *x = a, *const *y = b;
	const struct order *o = arg;
	int64_t more = field_number(*y, o->member, 0) - field_number(*x, o->member, 0);
	int by = o->is_number ? (more > 0) - (more < 0)
			      : strcmp(field_text(*x, o->member), field_text(*y, o->member));

	return by ? by : strcmp(field_text(*x, "name"), field_text(*y, "name"));
}

static void sort(json_t *vms, const struct order *o)
{
	size_t n = json_array_size(vms), i;
	AUTO_FREE json_t **vm = calloc(n + 1, sizeof *vm);
	json_t *x;

	if (!vm)
		abort();
	json_array_foreach (vms, i, x)
		vm[i] = json_incref(x);
	qsort_r(vm, n, sizeof *vm, compare, (void *)o);
	json_array_clear(vms);
	for (i = 0; i < n; i++)
		json_array_append_new(vms, vm[i]);
}

static bool is_state(const char *option)
{
	return !strcmp(option, "--state");
}

static bool is_word(const char *option, const char *word)
{
	return strpbrk(word, "*?[") ||
	       (is_state(option) ? observed_from_id(word) : health_from_id(word)) >= 0;
}

static void list_words(const char *option, char *ret, size_t cap)
{
	unsigned n_words = is_state(option) ? OBSERVED_COUNT : HEALTH_COUNT;
	size_t n = 0;

	for (unsigned i = 0; i < n_words; i++)
		str_add(ret, cap, &n, "%s%s", i ? ", " : "",
			is_state(option) ? observed_id(i) : health_id(i));
}

static int check_filters(const struct command_call *c, struct err *e)
{
	char words[128] = "";

	for (unsigned i = 0; i < c->n_given; i++) {
		const char *option = c->given[i].option->name, *word = c->given[i].value;

		if ((!is_state(option) && strcmp(option, "--health") != 0) || is_word(option, word))
			continue;
		list_words(option, words, sizeof words);
		return err_set(e, USAGE, "%s is never '%s'; it is one of: %s", option + 2, word,
			       words);
	}
	return 0;
}

static int find_order(const struct command_call *c, const struct order **ret, struct err *e)
{
	const char *word = command_value(c, "--sort");

	*ret = NULL;
	for (size_t i = 0; word && i < NELEMS(orders); i++)
		if (!strcmp(orders[i].word, word))
			*ret = &orders[i];
	if (word && !*ret)
		return err_set(e, USAGE,
			       "--sort knows no '%s'; it is name, state, health, since or restarts",
			       word);
	return 0;
}

/* Page by page into one list. *ret_first is the first answer, which mostly is all of it. */
static int ask_all(struct command_call *c, json_t *vms, struct http_response *ret_first,
		   bool *ret_is_one, int *ret_status)
{
	char query[32 + NAME_CAP] = "limit=10000", after[NAME_CAP] = "";

	*ret_is_one = true;
	for (;;) {
		AUTO_RESPONSE struct http_response r = {0};
		AUTO_JSON json_t *page = NULL;
		struct err e;

		if (command_ask(c, &(struct http_request){.op = OP_vm_list, .query = query}, &r,
				ret_status) < 0)
			return -1;
		if (field_parse(r.body, r.body_bytes, &page, &e) < 0) {
			*ret_status = problem_local(&e, c->as_json);
			return -1;
		}
		json_array_extend(vms, field_list(page, "vms"));
		if (!ret_first->body) {
			*ret_first = r;
			r = (struct http_response){0};
		}
		/* Names come in order: one that does not go on is no next page. */
		if (!name_is_valid(field_text(page, "next")) ||
		    strcmp(field_text(page, "next"), after) <= 0)
			return 0;
		*ret_is_one = false;
		str_copy(after, sizeof after, field_text(page, "next"));
		snprintf(query, sizeof query, "limit=10000&after=%s", after);
	}
}

/* As it came, unless it is of several pages or something was left out. */
static void print_json(const struct command_call *c, const json_t *vms,
		       const struct http_response *first, bool is_one)
{
	AUTO_JSON json_t *all = NULL, *page = NULL;
	struct err unused;

	if (is_one && c->n_given == 0) {
		field_print(first->body, first->body_bytes);
		return;
	}
	all = json_pack("{s:O}", "vms", vms);
	if (field_parse(first->body, first->body_bytes, &page, &unused) == 0 &&
	    *field_text(page, "host"))
		json_object_set(all, "host", json_object_get(page, "host"));
	field_print_object(all);
}

/* Above the table, since it concerns every row of it. */
static void print_host(const struct http_response *first)
{
	AUTO_JSON json_t *page = NULL;
	struct err unused;

	if (field_parse(first->body, first->body_bytes, &page, &unused) < 0 ||
	    !*field_text(page, "host"))
		return;
	printf("%sThe host is in its safe state: %s.%s No VM is started; qvmadm host tells "
	       "more.\n\n",
	       term_on(stdout, TERM_BAD), field_text(page, "host"), term_off(stdout, TERM_BAD));
}

static void print(const struct command_call *c, const json_t *vms,
		  const struct http_response *first)
{
	print_host(first);
	if (json_array_size(vms))
		print_table(c, vms);
	else if (c->n_given)
		fprintf(stderr, "No VM is like that; qvmadm list shows all.\n");
	else
		fprintf(stderr,
			"No VM is defined yet. Define one: qvmadm define NAME FILE.qvmconf\n");
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response first = {0};
	AUTO_JSON json_t *vms = json_array();
	const struct order *order;
	struct err e;
	bool is_one;
	int status;

	if (check_filters(c, &e) < 0 || find_order(c, &order, &e) < 0)
		return problem_local(&e, c->as_json);
	if (ask_all(c, vms, &first, &is_one, &status) < 0)
		return status;
	filter(c, vms);
	if (order)
		sort(vms, order);
	if (c->as_json)
		print_json(c, vms, &first, is_one);
	else if (c->output == OUTPUT_NAME)
		output_names(vms, "name");
	else
		print(c, vms, &first);
	return 0;
}

static const struct command_option options[] = {
	{"--state", NULL, "STATE",
	 "only those observed so: stopped starting running paused stopping safe"},
	{"--health", NULL, "HEALTH", "only those that do so: unknown healthy suspect failed"},
	{"--name", NULL, "PATTERN", "only those whose name matches, as in 'web-*'"},
	{"--sort", NULL, "COLUMN", "by name, state, health, since or restarts"},
	{0},
};

static const struct command list = {
	.name = "list",
	.group = COMMAND_LOOK,
	.arguments = "",
	.alias = "ls",
	.op = OP_vm_list,
	.forms = OUTPUT_IN(OUTPUT_WIDE) | OUTPUT_IN(OUTPUT_NAME),
	.help = "Three columns tell a VM's state: DESIRED is what was asked for, OBSERVED what is, "
		"HEALTH\n"
		"how well. LAST END is why it last ended, SINCE the age of OBSERVED, NEXT what "
		"follows by itself.\n"
		"A filter given twice takes either, different ones take what passes all.\n\n"
		"  qvmadm list\n"
		"  qvmadm list -o wide --sort restarts\n"
		"  qvmadm list --state safe --state stopped --name 'web-*'\n"
		"  for vm in $(qvmadm list -o name); do qvmadm stop \"$vm\"; done",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(list);
