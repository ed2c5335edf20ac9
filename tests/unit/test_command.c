/* SPDX-License-Identifier: Apache-2.0 */
#include "client/command.h"

#include <string.h>

#include "base/str.h"
#include "client/help.h"
#include "client/show/problem.h"
#include "tests/unit/test.h"

static const struct command *find(const char *name)
{
	const struct command *c = NULL;
	struct err e;

	assert_int_equal(command_find(name, &c, &e), 0);
	return c;
}

struct invocation {
	struct command_call call;
	struct err e;
	char text[128];
};

/* Parse what stands behind a verb; the text of the refusal, or NULL. */
static const char *parse(struct invocation *i, const char *verb, const char *text)
{
	char *word[8], *rest = i->text;
	int n = 0;

	i->call = (struct command_call){.command = find(verb)};
	assert_true(str_copy(i->text, sizeof i->text, text));
	while ((word[n] = strsep(&rest, " ")))
		n++;
	return command_parse(&i->call, word, n, &i->e) < 0 ? i->e.msg : NULL;
}

TEST(command_every_route_with_a_verb_has_one)
{
	for (unsigned i = 0; i < OP_COUNT; i++)
		if (op_table[i].cli[0])
			assert_int_equal(find(op_table[i].cli)->op, i);
}

TEST(command_of_every_verb_has_a_paragraph_and_two_examples)
{
	unsigned state = 0;

	for (const struct command *c; (c = command_next(&state));) {
		const char *examples = help_examples(c);

		if (examples == c->help || strncmp(examples, "  ", 2) != 0 ||
		    !strstr(examples, "\n  "))
			fail_msg("the help of '%s' is to end in an empty line and two examples",
				 c->name);
		assert_non_null(strstr(examples, "qvmadm "));
	}
}

TEST(command_unknown_verb_suggests_the_nearest)
{
	const struct command *c;
	struct err e;

	assert_int_equal(command_find("strat", &c, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.msg, "'start'"));
	assert_int_equal(command_find("xyzzy", &c, &e), -1);
	assert_null(strstr(e.msg, "did you mean"));
}

TEST(command_reads_options_in_all_forms)
{
	struct invocation i;

	assert_null(parse(&i, "start", "vm --wait 3s"));
	assert_string_equal(command_value(&i.call, "--wait"), "3s");
	assert_null(parse(&i, "start", "--wait=4s -w 5s vm --json"));
	assert_string_equal(command_value(&i.call, "--wait"), "5s");
	assert_string_equal(i.call.argument[0], "vm");
	assert_true(i.call.as_json);
	assert_null(command_value(&i.call, "--no-wait"));
	assert_null(parse(&i, "check", "-"));
	assert_string_equal(i.call.argument[0], "-");
	assert_null(parse(&i, "check", "-- -file"));
	assert_string_equal(i.call.argument[0], "-file");
}

TEST(command_refuses_what_it_cannot_read)
{
	struct invocation i;

	assert_non_null(strstr(parse(&i, "start", "--wiat vm"), "'--wait'"));
	assert_non_null(strstr(parse(&i, "start", "vm --wait"), "needs a value"));
	assert_non_null(strstr(parse(&i, "start", "vm --no-wait=1"), "takes no value"));
	assert_non_null(strstr(parse(&i, "start", "--json"), "needs more"));
	assert_non_null(strstr(parse(&i, "start", "a b"), "one argument too many"));
}

TEST(problem_code_prefers_the_type_to_the_status)
{
	assert_int_equal(problem_code("urn:qvm:error:configuration", 500), ERR_CONFIG);
	assert_int_equal(problem_code("urn:qvm:error:of-a-later-release", 404), ERR_NOT_FOUND);
	assert_int_equal(problem_code("about:blank", 409), ERR_CONFLICT);
	assert_int_equal(problem_code("", 999), ERR_INTERNAL);
}
