/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <string.h>

#include "tests/unit/test.h"

static int open_disk(struct err *e)
{
	errno = ENOENT;
	return err_sys(e, RESOURCE, "open disk '%s'", "/nonexistent/a.raw");
}

static int start(struct err *e)
{
	if (open_disk(e) < 0)
		return err_wrap(e, "start VM '%s'", "web");
	return 0;
}

TEST(err_carries_the_origin_and_each_frame)
{
	struct err e;

	assert_int_equal(start(&e), -1);
	assert_int_equal(e.code, ERR_RESOURCE);
	assert_int_equal(e.os_errno, ENOENT);
	assert_string_equal(e.msg, "open disk '/nonexistent/a.raw': No such file or directory");
	assert_int_equal(e.n_frames, 2);
	assert_non_null(strstr(e.frame[0].where, "test_err.c:"));
	assert_string_equal(e.frame[1].note, "start VM 'web'");
}

TEST(err_text_may_quote_the_error_it_replaces)
{
	struct err e;

	err_set(&e, INVALID, "inner");
	err_set(&e, CONFLICT, "outer: %s", e.msg);
	assert_string_equal(e.msg, "outer: inner");
	assert_int_equal(e.n_frames, 1);
}

TEST(err_keeps_the_innermost_frames)
{
	struct err e;

	err_set(&e, INVALID, "the cause");
	for (int i = 0; i < 20; i++)
		err_wrap(&e, "caller %d", i);
	assert_int_equal(e.n_frames, ERR_FRAMES);
	assert_string_equal(e.msg, "the cause");
	assert_string_equal(e.frame[1].note, "caller 0");
	assert_string_equal(e.frame[ERR_FRAMES - 1].note, "caller 4");
}

TEST(err_has_the_hint_of_its_code_unless_it_has_its_own)
{
	struct err e;

	err_set(&e, NOT_FOUND, "there is no VM 'web'");
	assert_string_equal(err_advice(&e), err_hint(ERR_NOT_FOUND));
	assert_int_equal(err_advise(&e, "qvmadm %s shows them", "list"), -1);
	err_wrap(&e, "start it");
	assert_string_equal(err_advice(&e), "qvmadm list shows them");
	assert_string_equal(e.msg, "there is no VM 'web'");
	err_set(&e, NOT_FOUND, "there is no VM 'web'");
	assert_string_equal(err_advice(&e), err_hint(ERR_NOT_FOUND));
	assert_string_equal(err_advice(&(struct err){.code = ERR_LIMIT}), err_hint(ERR_LIMIT));
}

TEST(err_from_a_hostile_peer_is_made_safe)
{
	struct err e;

	memset(&e, 0xff, sizeof e);
	err_sane(&e);
	assert_int_equal(e.code, ERR_INTERNAL);
	assert_int_equal(e.n_frames, ERR_FRAMES);
	assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
	assert_int_equal(strlen(e.frame[5].note), ERR_NOTE - 1);
}

TEST(err_every_code_has_a_status_and_a_hint)
{
	for (unsigned c = 1; c < ERR_COUNT; c++) {
		assert_in_range(err_http((enum err_code)c), 400, 599);
		assert_in_range(err_exit((enum err_code)c), 1, 96);
		assert_true(strlen(err_hint((enum err_code)c)) > 10);
		for (unsigned d = 1; d < c; d++) {
			assert_string_not_equal(err_id((enum err_code)c), err_id((enum err_code)d));
			assert_int_not_equal(err_exit((enum err_code)c),
					     err_exit((enum err_code)d));
		}
	}
}
