/* SPDX-License-Identifier: Apache-2.0 */
/* `set VARIABLE VALUE`: the value is read by the variable's type, then handed to its setter. */
#include <string.h>

#include "base/auto.h"
#include "vmm/conf/number.h"
#include "vmm/conf/parse.h"
#include "vmm/conf/unknown.h"
#include "vmm/vdev/vdev.h"

static int boolean(const char *s, uint64_t *ret, struct err *e)
{
	static const char *const word[] = {"off", "on", "no", "yes", "false", "true", "0", "1"};

	for (size_t i = 0; i < NELEMS(word); i++) {
		if (!strcmp(s, word[i])) {
			*ret = i % 2;
			return 0;
		}
	}
	return err_set(e, CONFIG, "'%.64s' is neither on nor off", s);
}

static int read_value(enum variable_type type, const char *s, uint64_t *ret, struct err *e)
{
	switch (type) {
	case VARIABLE_ADDRESS: return number_address(s, strlen(s), ret, e);
	case VARIABLE_BOOLEAN: return boolean(s, ret, e);
	case VARIABLE_NUMBER: return number_plain(s, strlen(s), ret, e);
	case VARIABLE_STRING: break;
	}
	return 0;
}

void option_set(struct parse *p, const struct token *t)
{
	const struct variable *v = variable_table;
	uint64_t number = 0;
	struct err e;

	while (v->name && strcmp(v->name, t[1].text) != 0)
		v++;
	if (!v->name) {
		unknown_variable(p, &t[1]);
		return;
	}
	if (read_value(v->type, t[2].text, &number, &e) < 0)
		finding_hint(finding_error(p->findings, &t[2].at, "%s", e.msg), "`set %s` takes %s",
			     v->name, variable_type_form(v->type));
	else if (v->mend)
		finding_hint(finding_error(p->findings, &t[1].at,
					   "`set %s` (%s) is not in this release of qvm", v->name,
					   v->what),
			     "%s", v->mend);
	else
		v->set(p, t, number);
}

void variable_exit_on_halt(struct parse *p, const struct token *t, uint64_t number)
{
	(void)t;
	p->draft->board->exit_on_halt = number != 0;
}

void variable_path_base(struct parse *p, const struct token *t, uint64_t number)
{
	static const char *const base[] = {"file", "cwd"};

	(void)number;
	if (!strcmp(t[2].text, base[0]))
		p->draft->path_base_is_cwd = false;
	else if (!strcmp(t[2].text, base[1]))
		p->draft->path_base_is_cwd = true;
	else
		unknown_keyword(p, &t[2], t[2].text, base, NELEMS(base), "base for relative paths");
}

void variable_counter_offset(struct parse *p, const struct token *t, uint64_t number)
{
	struct board *b = p->draft->board;

	(void)t;
	b->has_counter_offset = number != UINT64_MAX;
	b->counter_offset = number;
}

/* Of the vdev that it stands behind. */
void variable_debug(struct parse *p, const struct token *t, uint64_t number)
{
	if (p->context == OPTION_VDEV && !p->is_blind)
		parse_vdev(p)->vdev->is_unreported = number == 0;
	else if (p->context != OPTION_VDEV)
		finding_hint(finding_error(p->findings, &t[1].at,
					   "`set debug` is about a vdev, but stands behind none"),
			     "write it behind the options of that `vdev`");
}
