/* SPDX-License-Identifier: Apache-2.0 */
/* Policies as people write them. */
#include "client/setting.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "client/show/field.h"
#include "client/source.h"
#include "schemas/policy.h"
#include "tests/unit/test.h"

static int parse(const char *text, json_t **ret)
{
	struct source s = {.name = "web.policy", .text = (char *)text, .bytes = strlen(text)};

	return setting_parse(&s, ret);
}

TEST(setting_reads_a_file_and_writes_the_same)
{
	AUTO_JSON json_t *policy = NULL;
	AUTO_FREE char *text = NULL;

	assert_int_equal(parse("# a comment\n\n  stop_timeout_ms=10s  \r\nafter = db, log\n"
			       "on_failure = stop\nhook =\nautostart = yes",
			       &policy),
			 0);
	assert_null(json_object_get(policy, "hook")); /* empty: its default */
	text = setting_print(policy);
	assert_string_equal(text, "autostart = true\nafter = db, log\non_failure = stop\n"
				  "stop_timeout_ms = 10000\n");
}

TEST(setting_leaves_defaults_out)
{
	AUTO_JSON json_t *policy = NULL;
	AUTO_FREE char *text = NULL;

	assert_int_equal(
		parse("restart_budget = 5\non_reboot = restart\nautostart = no\n", &policy), 0);
	text = setting_print(policy);
	assert_string_equal(text, "");
}

TEST(setting_document_explains_each_field_and_reads_back_as_it_was)
{
	AUTO_JSON json_t *policy = json_pack("{s:i,s:[s,s],s:s}", "restart_budget", 7, "after",
					     "db", "log", "on_failure", "pause");
	AUTO_JSON json_t *again = NULL;
	AUTO_FREE char *text = setting_document(policy);

	for (unsigned i = 0; i < policy_n_fields; i++)
		assert_non_null(strstr(text, policy_fields[i].what));
	assert_non_null(strstr(text, "\n#heartbeat_ms = 500\n"));
	assert_int_equal(parse(text, &again), 0);
	assert_true(json_equal(policy, again));
}

TEST(setting_tells_every_wrong_line_with_its_place)
{
	static const struct {
		int line, column;
		const char *what;
	} expected[] = {
		{1, 1, "did you mean 'restart_budget'"},
		{2, 3, "from 0 to 1000"},
		{3, 1, "form `field = value`"},
		{5, 1, "given twice"},
		{6, 1, "no name of a VM"},
		{7, 1, "stop, restart, pause or standby"},
	};
	AUTO_JSON json_t *told = NULL;
	json_t *d;
	size_t i;

	assert_int_equal(
		parse("restart_budgt = 3\n  restart_budget = 9999\nnonsense\nautostart = no\n"
		      "autostart = yes\nhook = ../sh\non_failure = explode\n",
		      &told),
		-1);
	assert_int_equal(json_array_size(field_list(told, "diagnostics")), NELEMS(expected));
	json_array_foreach (field_list(told, "diagnostics"), i, d) {
		assert_int_equal(field_number(d, "line", 0), expected[i].line);
		assert_int_equal(field_number(d, "column", 0), expected[i].column);
		if (!strstr(field_text(d, "what"), expected[i].what))
			fail_msg("'%s' does not say '%s'", field_text(d, "what"), expected[i].what);
	}
}
