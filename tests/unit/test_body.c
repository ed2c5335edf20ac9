/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests, by the field tables. */
#include <stdlib.h>
#include <string.h>

#include "api/http/body.h"
#include "base/auto.h"
#include "schemas/message.h"
#include "tests/unit/test.h"

static int parse(const char *json, struct body *b, struct err *e)
{
	return body_parse(OP_vm_put, BODY_JSON, json, strlen(json), b, e);
}

/* Refused with these words, pointing there. */
static void assert_refused(const char *json, const char *words, const char *pointer)
{
	struct body b;
	struct err e = {0};

	assert_int_equal(parse(json, &b, &e), -1);
	assert_int_equal(e.code, ERR_INVALID);
	if (!strstr(e.msg, words))
		fail_msg("'%s' does not say '%s'", e.msg, words);
	assert_string_equal(b.pointer, pointer);
	assert_null(b.config);
}

TEST(body_reads_config_and_policy)
{
	struct body b;
	struct err e;

	assert_int_equal(parse("{\"config\":\"ram 1m\\n\",\"policy\":{\"autostart\":true,"
			       "\"on_failure\":\"stop\",\"restart_budget\":7}}",
			       &b, &e),
			 0);
	assert_string_equal(b.config, "ram 1m\n");
	assert_int_equal(b.config_bytes, 7);
	assert_int_equal(b.policy_fields, POLICY_ALL);
	assert_int_equal(b.policy.autostart, 1);
	assert_int_equal(b.policy.on_failure, REACTION_STOP);
	assert_int_equal(b.policy.restart_budget, 7);
	assert_int_equal(b.policy.heartbeat_ms, policy_default().heartbeat_ms);
	body_free(&b);
	assert_int_equal(parse("{\"config\":\"\"}", &b, &e), 0);
	assert_int_equal(b.policy_fields, 0);
	body_free(&b);
}

TEST(body_refuses_each_wrong_member_and_says_what_is_right)
{
	assert_refused("{\"confg\":\"a\"}", "did you mean 'config'", "/confg");
	assert_refused("{\"config\":\"a\",\"colour\":1}", "there are: 'config'", "/colour");
	assert_refused("{\"config\":1}", "must be a string", "/config");
	assert_refused("{\"config\":\"a\",\"folder\":\"b/c\"}", "absolute", "/folder");
	assert_refused("{}", "no member 'config'", "");
	assert_refused("{\"policy\":{}}", "no member 'config'", "");
	assert_refused("{\"config\":\"a\",\"policy\":[]}", "must be an object", "/policy");
	assert_refused("{\"config\":\"a\",\"policy\":{\"restart_budgt\":1}}",
		       "did you mean 'restart_budget'", "/policy/restart_budgt");
	assert_refused("{\"config\":\"a\",\"policy\":{\"restart_budget\":-1}}", "from 0 to 1000",
		       "/policy/restart_budget");
	assert_refused("{\"config\":\"a\",\"policy\":{\"restart_budget\":1.5}}", "whole number",
		       "/policy/restart_budget");
	assert_refused("{\"config\":\"a\",\"policy\":{\"restart_budget\":\"many\"}}",
		       "from 0 to 1000", "/policy/restart_budget");
	assert_refused("{\"config\":\"a\",\"policy\":{\"autostart\":1}}", "true or false",
		       "/policy/autostart");
	assert_refused("{\"config\":\"a\",\"policy\":{\"on_failure\":\"explode\"}}",
		       "stop, restart, pause or standby", "/policy/on_failure");
	assert_refused("{\"config\":\"a\",\"policy\":{\"on_failure\":null}}",
		       "stop, restart, pause or standby", "/policy/on_failure");
}

static int patch(const char *json, struct body *b, struct err *e)
{
	return body_parse(OP_vm_patch, BODY_PATCH, json, strlen(json), b, e);
}

TEST(body_of_a_patch_means_the_named_fields_alone_and_null_the_default)
{
	const uint64_t budget = POLICY_BIT(POLICY_INDEX_restart_budget),
		       hook = POLICY_BIT(POLICY_INDEX_hook), after = POLICY_BIT(POLICY_INDEX_after);
	struct body b;
	struct err e;

	assert_int_equal(
		patch("{\"policy\":{\"restart_budget\":7,\"hook\":null,\"after\":[]}}", &b, &e), 0);
	assert_int_equal(b.policy_fields, budget | hook | after);
	assert_int_equal(b.policy.restart_budget, 7);
	assert_string_equal(b.policy.hook, "");
	assert_int_equal(patch("{}", &b, &e), 0);
	assert_int_equal(b.policy_fields, 0);
	assert_int_equal(patch("{\"policy\":{}}", &b, &e), 0);
	assert_int_equal(b.policy_fields, 0);
	assert_int_equal(patch("{\"policy\":null}", &b, &e), 0);
	assert_int_equal(b.policy_fields, POLICY_ALL);
	assert_int_equal(b.policy.restart_budget, policy_default().restart_budget);
}

TEST(body_of_a_patch_refuses_what_it_cannot_change_and_says_what_to_do)
{
	static const struct {
		const char *json, *words, *pointer;
	} table[] = {
		{"{\"name\":\"new\"}", "cannot be renamed", "/name"},
		{"{\"config\":\"ram 1m\"}", "PUT the whole", "/config"},
		{"{\"folder\":\"/\"}", "PUT the whole", "/folder"},
		{"{\"desired\":\"stopped\"}", "told, not set", "/desired"},
		{"{\"polcy\":{}}", "did you mean 'policy'", "/polcy"},
		{"{\"policy\":[]}", "must be an object", "/policy"},
		{"{\"policy\":{\"hok\":null}}", "did you mean 'hook'", "/policy/hok"},
		{"{\"policy\":{\"restart_budget\":1001}}", "from 0 to 1000",
		 "/policy/restart_budget"},
	};
	struct body b;
	struct err e;

	for (size_t i = 0; i < NELEMS(table); i++) {
		assert_int_equal(patch(table[i].json, &b, &e), -1);
		if (!strstr(e.msg, table[i].words))
			fail_msg("'%s' does not say '%s'", e.msg, table[i].words);
		assert_string_equal(b.pointer, table[i].pointer);
	}
}

TEST(body_refuses_json_that_can_be_read_in_two_ways)
{
	assert_refused("{\"config\":\"a\",\"config\":\"b\"}", "duplicate", "");
	assert_refused("{\"config\":\"a\\u0000b\"}", "NUL", "");
	assert_refused("{\"config\":\"a\"} {}", "JSON", "");
	assert_refused("{\"config\":\"\xff\"}", "JSON", "");
	assert_refused("{\"config\":\"a\",\"policy\":{\"restart_budget\":99999999999999999999}}",
		       "JSON", "");
	assert_refused("", "empty", "");
	assert_refused("[]", "must be an object", "");
	assert_refused("{", "JSON", "");
}

TEST(body_of_text_is_the_configuration)
{
	static const char text[] = "ram 1m\n", nul[] = "ram\0 1m", bad[] = "ram \xc0\x80";
	struct body b;
	struct err e;

	assert_int_equal(body_parse(OP_vm_put, BODY_TEXT, text, sizeof text - 1, &b, &e), 0);
	assert_string_equal(b.config, text);
	body_free(&b);
	assert_int_equal(body_parse(OP_check, BODY_TEXT, nul, sizeof nul - 1, &b, &e), -1);
	assert_int_equal(body_parse(OP_check, BODY_TEXT, bad, sizeof bad - 1, &b, &e), -1);
}

TEST(body_over_the_size_of_a_configuration_is_too_large)
{
	size_t n = MESSAGE_CONFIG_MAX + 1;
	char *text = malloc(n);
	struct body b;
	struct err e;

	assert_non_null(text);
	memset(text, '#', n);
	assert_int_equal(body_parse(OP_check, BODY_TEXT, text, n, &b, &e), -1);
	assert_int_equal(e.code, ERR_TOO_LARGE);
	assert_int_equal(body_parse(OP_check, BODY_TEXT, text, n - 1, &b, &e), 0);
	body_free(&b);
	free(text);
}

TEST(body_type_is_what_the_operation_takes)
{
	enum body_type t;
	struct err e;

	assert_int_equal(body_type(OP_vm_put, "application/json", &t, &e), 0);
	assert_int_equal(t, BODY_JSON);
	assert_int_equal(body_type(OP_vm_put, "Application/JSON; charset=UTF-8", &t, &e), 0);
	assert_int_equal(body_type(OP_check, "text/plain", &t, &e), 0);
	assert_int_equal(t, BODY_TEXT);
	assert_int_equal(body_type(OP_vm_type, "application/octet-stream", &t, &e), 0);
	assert_int_equal(t, BODY_BYTES);
	assert_int_equal(body_type(OP_vm_type, "application/json", &t, &e), -1);
	assert_int_equal(e.code, ERR_MEDIA_TYPE);
	assert_int_equal(body_type(OP_vm_put, "application/octet-stream", &t, &e), -1);
	assert_int_equal(body_type(OP_vm_put, "application/jsonx", &t, &e), -1);
	assert_int_equal(body_type(OP_vm_put, "application/json; charset=latin1", &t, &e), -1);
	assert_int_equal(body_type(OP_vm_put, NULL, &t, &e), -1);
	assert_non_null(strstr(e.msg, "no Content-Type"));
}
