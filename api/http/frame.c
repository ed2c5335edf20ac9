/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/frame.h"

enum { FINAL = 0x80, RESERVED = 0x70, KIND = 0x0f, MASKED = 0x80, LENGTH = 0x7f };
enum { LENGTH_16 = 126, LENGTH_64 = 127, MASK = 4 };

static bool is_control(enum frame_kind k)
{
	return k >= FRAME_CLOSE;
}

static bool is_known(enum frame_kind k)
{
	return k <= FRAME_BINARY || (k >= FRAME_CLOSE && k <= FRAME_PONG);
}

static unsigned length_bytes(uint8_t length)
{
	return length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0;
}

/* Of the whole head, as far as its first bytes tell. */
static unsigned head_bytes(const struct frame_reader *r)
{
	unsigned mask = r->head[1] & MASKED ? MASK : 0;

	return r->n_head < 2 ? 2 : 2 + length_bytes(r->head[1] & LENGTH) + mask;
}

static uint64_t length_of(const uint8_t *head)
{
	unsigned n = length_bytes(head[1] & LENGTH);
	uint64_t length = n ? 0 : head[1] & LENGTH;

	for (unsigned i = 0; i < n; i++)
		length = length << 8 | head[2 + i];
	return length;
}

/* The shortest form that can say it. */
static bool is_minimal(const uint8_t *head, uint64_t length)
{
	switch (length_bytes(head[1] & LENGTH)) {
	case 2: return length >= LENGTH_16;
	case 8: return length > UINT16_MAX && !(length >> 63);
	default: return true;
	}
}

/* Does the frame belong here, after what has been read? */
static bool is_in_order(const struct frame_reader *r)
{
	if (is_control(r->kind))
		return r->is_final && r->left <= FRAME_CONTROL;
	return (r->kind == FRAME_MORE) == (r->message_kind != FRAME_MORE);
}

static int begin_payload(struct frame_reader *r, enum frame_close *ret_why)
{
	const uint8_t *h = r->head;

	r->is_final = h[0] & FINAL;
	r->kind = (enum frame_kind)(h[0] & KIND);
	r->left = length_of(h);
	*ret_why = FRAME_CLOSE_PROTOCOL;
	if ((h[0] & RESERVED) || !(h[1] & MASKED) || !is_known(r->kind) ||
	    !is_minimal(h, r->left) || !is_in_order(r))
		return -1;
	*ret_why = FRAME_CLOSE_TOO_BIG;
	if (!is_control(r->kind) && r->left > FRAME_MESSAGE - r->n_message)
		return -1;
	if (r->kind == FRAME_TEXT || r->kind == FRAME_BINARY)
		r->message_kind = r->kind;
	r->n_control = 0;
	r->at_mask = 0;
	r->is_in_payload = true;
	return 0;
}

static size_t take_payload(struct frame_reader *r, const uint8_t *bytes, size_t n)
{
	const uint8_t *mask = r->head + r->n_head - MASK;
	uint8_t *to = is_control(r->kind) ? r->control : r->message;
	size_t *filled = is_control(r->kind) ? &r->n_control : &r->n_message;

	n = n < r->left ? n : (size_t)r->left;
	for (size_t i = 0; i < n; i++)
		to[(*filled)++] = bytes[i] ^ mask[r->at_mask++ % MASK];
	r->left -= n;
	return n;
}

/* The present frame is whole. Does it complete what can be given? */
static bool end_payload(struct frame_reader *r, struct frame *ret)
{
	r->is_in_payload = false;
	r->n_head = 0;
	if (is_control(r->kind)) {
		*ret = (struct frame){r->kind, r->control, r->n_control};
		return true;
	}
	if (!r->is_final)
		return false;
	*ret = (struct frame){r->message_kind, r->message, r->n_message};
	r->is_given = true;
	return true;
}

static void forget_given(struct frame_reader *r)
{
	if (!r->is_given)
		return;
	r->is_given = false;
	r->n_message = 0;
	r->message_kind = FRAME_MORE;
}

int frame_read(struct frame_reader *r, const uint8_t *bytes, size_t n, size_t *ret_taken,
	       struct frame *ret, enum frame_close *ret_why)
{
	size_t at = 0;

	forget_given(r);
	for (;;) {
		while (!r->is_in_payload && r->n_head < head_bytes(r) && at < n)
			r->head[r->n_head++] = bytes[at++];
		*ret_taken = at;
		if (!r->is_in_payload && r->n_head < head_bytes(r))
			return 0;
		if (!r->is_in_payload && begin_payload(r, ret_why) < 0)
			return -1;
		at += take_payload(r, bytes + at, n - at);
		*ret_taken = at;
		if (r->left)
			return 0;
		if (end_payload(r, ret))
			return 1;
	}
}

size_t frame_head(enum frame_kind kind, size_t n, uint8_t ret[static FRAME_HEAD])
{
	unsigned more = n < LENGTH_16 ? 0 : n <= UINT16_MAX ? 2 : 8;

	ret[0] = (uint8_t)(FINAL | kind);
	ret[1] = (uint8_t)(more == 0 ? n : more == 2 ? LENGTH_16 : LENGTH_64);
	for (unsigned i = 0; i < more; i++)
		ret[2 + i] = (uint8_t)((uint64_t)n >> 8 * (more - 1 - i));
	return 2 + more;
}

enum frame_close frame_why(const struct frame *close)
{
	unsigned why;

	if (close->n == 0)
		return FRAME_CLOSE_NOTHING;
	if (close->n == 1)
		return FRAME_CLOSE_PROTOCOL;
	why = (unsigned)close->bytes[0] << 8 | close->bytes[1];
	if ((why >= 1000 && why <= 1003) || (why >= 1007 && why <= 1014) ||
	    (why >= 3000 && why <= 4999))
		return (enum frame_close)why;
	return FRAME_CLOSE_PROTOCOL;
}
