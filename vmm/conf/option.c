/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/option.h"

#include <string.h>

#include "base/auto.h"

const struct option option_table[] = {
#define OPTION(id_, name_, context_, opens_, args_, form_, what_)                                  \
	{.name = name_,                                                                            \
	 .form = form_,                                                                            \
	 .what = what_,                                                                            \
	 .set = option_##id_,                                                                      \
	 .context = OPTION_##context_,                                                             \
	 .opens = OPTION_##opens_,                                                                 \
	 .args = OPTION_ARGS_##args_},
#define LATER(id_, name_, context_, opens_, args_, form_, what_, mend_)                            \
	{.name = name_,                                                                            \
	 .form = form_,                                                                            \
	 .what = what_,                                                                            \
	 .mend = mend_,                                                                            \
	 .context = OPTION_##context_,                                                             \
	 .opens = OPTION_##opens_,                                                                 \
	 .args = OPTION_ARGS_##args_},
#include "schemas/qvmconf.def"
	{0}};

const struct variable variable_table[] = {
#define VARIABLE(id_, name_, type_, what_)                                                         \
	{.name = name_, .what = what_, .set = variable_##id_, .type = VARIABLE_##type_},
#define VARIABLE_LATER(name_, type_, what_, mend_)                                                 \
	{.name = name_, .what = what_, .mend = mend_, .type = VARIABLE_##type_},
#include "schemas/qvmconf.def"
	{0}};

const struct vdev_later vdev_later_table[] = {
#define VDEV_LATER(name_, mend_) {name_, mend_},
#include "schemas/qvmconf.def"
	{0}};

const struct option_example option_example_table[] = {
#define EXAMPLE(topic_, text_) {topic_, text_},
#include "schemas/qvmconf.def"
	{0}};

const struct option *option_find(const char *name, enum option_context context)
{
	for (const struct option *o = option_table; o->name; o++)
		if (o->context == context && !strcmp(o->name, name))
			return o;
	return NULL;
}

const struct option *option_find_any(const char *name)
{
	for (const struct option *o = option_table; o->name; o++)
		if (!strcmp(o->name, name))
			return o;
	return NULL;
}

unsigned option_n_args(const struct option *o)
{
	return o->args == OPTION_ARGS_NONE ? 0 : o->args == OPTION_ARGS_PAIR ? 2 : 1;
}

const char *option_usage(const struct option *o, char ret[static 120])
{
	snprintf(ret, 120, "%s%s%s", o->name, o->form[0] ? " " : "", o->form);
	return ret;
}

const char *option_context_name(enum option_context context)
{
	static const char *const name[] = {"", "", "reserve", "cpu", "vdev", "pass"};

	return context < NELEMS(name) ? name[context] : "";
}

const char *variable_type_form(enum variable_type type)
{
	static const char *const form[] = {
		[VARIABLE_ADDRESS] = "an address: 0x1000, 4K",
		[VARIABLE_BOOLEAN] = "on or off (also yes no, true false, 1 0)",
		[VARIABLE_NUMBER] = "a number: decimal, or 0x",
		[VARIABLE_STRING] = "a word",
	};

	return form[type];
}
