/* SPDX-License-Identifier: Apache-2.0 */
/* range.h - which bytes of a file a request is for (RFC 9110, section 14). Pure. qvm-api. */
#pragma once

#include <stdint.h>

enum range_kind {
	RANGE_WHOLE, /* none is asked for, or none that is known: the answer is the whole */
	RANGE_PART,
	RANGE_NONE, /* none of the file's bytes is in it */
};

struct range {
	uint64_t first, bytes;
};

/* text: of the header Range, "" = there is none. *ret of RANGE_WHOLE is the whole, of RANGE_NONE unset. */
enum range_kind range_read(const char *text, uint64_t size, struct range *ret);
