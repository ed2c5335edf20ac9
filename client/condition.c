/* SPDX-License-Identifier: Apache-2.0 */
#include "client/condition.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "client/show/field.h"
#include "schemas/cause.h"
#include "schemas/journal.h"
#include "schemas/lifecycle.h"

/* What an event says about a column. */
static const struct {
	const char *kind, *column, *word;
} said_by[] = {
	{"starting", "observed", "starting"}, {"started", "observed", "running"},
	{"stopping", "observed", "stopping"}, {"ended", "observed", "stopped"},
	{"safe", "observed", "safe"},	      {"safe", "health", "failed"},
	{"suspect", "health", "suspect"},     {"healthy", "health", "healthy"},
	{"released", "observed", "stopped"},  {"paused", "observed", "paused"},
	{"resumed", "observed", "running"},   {"preparing", "observed", "preparing"},
	{"ready", "observed", "ready"},	      {"stood-down", "observed", "stopped"},
};

bool condition_is_told(const struct condition *c, const json_t *event)
{
	const char *kind = field_text(event, "kind");

	if (!*c->column)
		return !strcmp(kind, "deleted");
	if (!strcmp(c->column, "event"))
		return !strcmp(kind, c->word);
	if (!strcmp(c->column, "cause"))
		return !strcmp(field_text(event, "cause"), c->word);
	for (size_t i = 0; i < NELEMS(said_by); i++)
		if (!strcmp(said_by[i].kind, kind) && !strcmp(said_by[i].column, c->column) &&
		    !strcmp(said_by[i].word, c->word))
			return true;
	return false;
}

bool condition_is_met(const struct condition *c, const json_t *vm)
{
	return *c->column && !strcmp(field_text(vm, c->column), c->word);
}

const char *condition_text(const struct condition *c, char ret[static 64])
{
	snprintf(ret, 64, "%s%s%s", *c->column ? c->column : "gone", *c->column ? " " : "",
		 c->word);
	return ret;
}

static bool word_exists(const char *column, const char *word)
{
	if (!strcmp(column, "desired"))
		return desired_from_id(word) >= 0;
	if (!strcmp(column, "observed"))
		return observed_from_id(word) >= 0;
	if (!strcmp(column, "health"))
		return health_from_id(word) >= 0;
	if (!strcmp(column, "event"))
		return journal_from_id(word) >= 0;
	return cause_from_id(word) != CAUSE_NONE || !strcmp(word, cause_id(CAUSE_NONE));
}

static void list_words(const char *column, char *buf, size_t cap)
{
	size_t len = 0;

	buf[0] = '\0';
	if (!strcmp(column, "desired"))
		for (unsigned i = 0; i < DESIRED_COUNT; i++)
			str_add(buf, cap, &len, " %s", desired_id(i));
	else if (!strcmp(column, "observed"))
		for (unsigned i = 0; i < OBSERVED_COUNT; i++)
			str_add(buf, cap, &len, " %s", observed_id(i));
	else if (!strcmp(column, "health"))
		for (unsigned i = 0; i < HEALTH_COUNT; i++)
			str_add(buf, cap, &len, " %s", health_id(i));
	else if (!strcmp(column, "event"))
		str_add(buf, cap, &len, " those that qvmadm help events lists");
	else
		str_add(buf, cap, &len, " those that qvmadm list and incidents show");
}

int condition_read(const char *text, struct condition *ret, struct err *e)
{
	static const char *const column[] = {"desired", "observed", "health", "cause", "event"};
	const char *equals = strchr(text, '=');
	struct condition c = {0};
	char name[16], words[160];

	*ret = c;
	if (!strcmp(text, "gone"))
		return 0;
	if (!strcmp(text, "operation"))
		return str_copy(ret->column, sizeof ret->column, text) ? 0 : -1;
	snprintf(name, sizeof name, "%.*s", (int)(equals ? equals - text : 0), text);
	if (!strcmp(name, "state"))
		str_copy(name, sizeof name, "observed");
	for (size_t i = 0; i < NELEMS(column); i++) {
		if (strcmp(name, column[i]) != 0)
			continue;
		str_copy(c.column, sizeof c.column, name);
		if (str_copy(c.word, sizeof c.word, equals + 1) && word_exists(name, c.word)) {
			*ret = c;
			return 0;
		}
		list_words(name, words, sizeof words);
		return err_set(e, USAGE, "'%s' is never '%s'; it is one of:%s", name, equals + 1,
			       words);
	}
	return err_set(e, USAGE,
		       "--for '%s' is no condition; it is state=, health=, cause=, desired= or "
		       "event= and a word, operation, or gone",
		       text);
}
