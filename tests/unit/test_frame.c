/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/frame.h"

#include <string.h>

#include "api/http/upgrade.h"
#include "tests/unit/test.h"

static struct frame_reader reader;

static int read_all(const char *bytes, size_t n, struct frame *ret, enum frame_close *ret_why)
{
	size_t taken;

	reader = (struct frame_reader){0};
	return frame_read(&reader, (const uint8_t *)bytes, n, &taken, ret, ret_why);
}

#define READ(text, f, why) read_all(text, sizeof(text) - 1, f, why)

TEST(a_frame_of_the_rfc_is_unmasked)
{
	struct frame f;
	enum frame_close why;

	assert_int_equal(READ("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", &f, &why), 1);
	assert_int_equal(f.kind, FRAME_TEXT);
	assert_int_equal(f.n, 5);
	assert_memory_equal(f.bytes, "Hello", 5);
}

TEST(fragments_are_one_message_and_a_ping_comes_between_them)
{
	static const char bytes[] = "\x02\x81\0\0\0\0a\x89\x81\0\0\0\0p\x80\x81\0\0\0\0b";
	const uint8_t *at = (const uint8_t *)bytes;
	size_t left = sizeof bytes - 1, taken;
	struct frame f;
	enum frame_close why;

	reader = (struct frame_reader){0};
	assert_int_equal(frame_read(&reader, at, left, &taken, &f, &why), 1);
	assert_int_equal(f.kind, FRAME_PING);
	at += taken, left -= taken;
	assert_int_equal(frame_read(&reader, at, left, &taken, &f, &why), 1);
	assert_int_equal(f.kind, FRAME_BINARY);
	assert_int_equal(f.n, 2);
	assert_memory_equal(f.bytes, "ab", 2);
	assert_int_equal(taken, left);
}

TEST(what_no_client_may_send_is_refused)
{
	static const struct {
		const char *bytes;
		size_t n;
		enum frame_close why;
	} bad[] = {
#define BAD(text, why) {text, sizeof(text) - 1, why}
		BAD("\x82\x01x", FRAME_CLOSE_PROTOCOL),			       /* not masked */
		BAD("\xc2\x80\0\0\0\0", FRAME_CLOSE_PROTOCOL),		       /* a reserved bit */
		BAD("\x83\x80\0\0\0\0", FRAME_CLOSE_PROTOCOL),		       /* an unknown kind */
		BAD("\x80\x80\0\0\0\0", FRAME_CLOSE_PROTOCOL),		       /* more of nothing */
		BAD("\x02\x80\0\0\0\0\x82\x80\0\0\0\0", FRAME_CLOSE_PROTOCOL), /* a second one */
		BAD("\x09\x80\0\0\0\0", FRAME_CLOSE_PROTOCOL),		       /* a ping in parts */
		BAD("\x89\xfe\0\x7e\0\0\0\0", FRAME_CLOSE_PROTOCOL),	       /* a long ping */
		BAD("\x82\xfe\0\x7d\0\0\0\0", FRAME_CLOSE_PROTOCOL), /* not the shortest length */
		BAD("\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0", FRAME_CLOSE_PROTOCOL), /* negative */
		BAD("\x82\xfe\x10\x01\0\0\0\0", FRAME_CLOSE_TOO_BIG),
	};
	struct frame f;
	enum frame_close why;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(read_all(bad[i].bytes, bad[i].n, &f, &why), -1);
		assert_int_equal(why, bad[i].why);
	}
}

TEST(a_head_says_the_length_in_its_shortest_form)
{
	uint8_t head[FRAME_HEAD];

	assert_int_equal(frame_head(FRAME_BINARY, 125, head), 2);
	assert_memory_equal(head, "\x82\x7d", 2);
	assert_int_equal(frame_head(FRAME_TEXT, 126, head), 4);
	assert_memory_equal(head, "\x81\x7e\0\x7e", 4);
	assert_int_equal(frame_head(FRAME_BINARY, 65536, head), 10);
	assert_memory_equal(head, "\x82\x7f\0\0\0\0\0\x01\0\0", 10);
}

TEST(a_close_has_a_reason_that_may_be_sent_or_none)
{
	assert_int_equal(frame_why(&(struct frame){FRAME_CLOSE, NULL, 0}), FRAME_CLOSE_NOTHING);
	assert_int_equal(frame_why(&(struct frame){FRAME_CLOSE, (const uint8_t *)"\x03\xe8", 2}),
			 FRAME_CLOSE_NORMAL);
	assert_int_equal(frame_why(&(struct frame){FRAME_CLOSE, (const uint8_t *)"\x03\xed", 2}),
			 FRAME_CLOSE_PROTOCOL);
	assert_int_equal(frame_why(&(struct frame){FRAME_CLOSE, (const uint8_t *)"\x03", 1}),
			 FRAME_CLOSE_PROTOCOL);
}

TEST(a_handshake_is_accepted_as_the_rfc_says)
{
	char accept[UPGRADE_ACCEPT];

	upgrade_accept("dGhlIHNhbXBsZSBub25jZQ==", accept);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
