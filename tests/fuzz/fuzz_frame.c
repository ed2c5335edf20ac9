/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_frame - what a WebSocket client sends: byte 0 says in pieces of how many bytes it comes. */
#include <stdlib.h>
#include <string.h>

#include "api/http/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct story {
	size_t n_given, n_bytes;
	uint32_t sum;
	int end;
};

/* What is read does not depend on the pieces in which it comes. */
static struct story read_in_pieces(const uint8_t *data, size_t n, size_t piece)
{
	struct frame_reader *r = calloc(1, sizeof *r);
	struct story s = {0};

	for (size_t at = 0; at < n && s.end >= 0;) {
		size_t most = n - at < piece ? n - at : piece, taken = 0;
		struct frame f;
		enum frame_close why = FRAME_CLOSE_NORMAL;

		s.end = frame_read(r, data + at, most, &taken, &f, &why);
		if (taken > most || (s.end == 0 && taken != most) ||
		    (s.end < 0 && why != FRAME_CLOSE_PROTOCOL && why != FRAME_CLOSE_TOO_BIG))
			abort();
		at += taken;
		if (s.end != 1)
			continue;
		if (f.kind == FRAME_MORE ||
		    f.n > (f.kind >= FRAME_CLOSE ? FRAME_CONTROL : FRAME_MESSAGE))
			abort();
		if (f.kind == FRAME_CLOSE && frame_why(&f) < 1000)
			abort();
		s.n_given++;
		s.n_bytes += f.n;
		for (size_t i = 0; i < f.n; i++)
			s.sum = s.sum * 31 + f.bytes[i];
	}
	s.end = s.end < 0 ? -1 : 0;
	free(r);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct story whole, parts;

	if (n == 0)
		return 0;
	whole = read_in_pieces(data + 1, n - 1, n);
	parts = read_in_pieces(data + 1, n - 1, data[0] % 16 + 1);
	if (whole.n_given != parts.n_given || whole.n_bytes != parts.n_bytes ||
	    whole.sum != parts.sum || whole.end != parts.end)
		abort();
	return 0;
}
