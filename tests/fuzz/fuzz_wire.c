/* SPDX-License-Identifier: Apache-2.0 */
/* What any peer may send: byte 0 picks direction and number of fds, the rest is the datagram. */
#include <string.h>

#include "base/wire.h"
#include "schemas/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct wire_hdr h = {0};
	struct err e = {0};
	struct msg_want w;
	struct diagnostic d;

	if (n == 0)
		return 0;
	memcpy(&h, data + 1, n - 1 < sizeof h ? n - 1 : sizeof h);
	if (wire_check(&message_table, (enum wire_dir)(data[0] & 3), &h, n - 1, data[0] >> 2 & 7,
		       &e) < 0 &&
	    e.code != ERR_PROTOCOL)
		__builtin_trap();
	memset(&w, 0, sizeof w);
	memcpy(&w, data, n < sizeof w ? n : sizeof w);
	if (message_check_want(&w, w.index, &e) == 0 && strlen(w.path) >= sizeof w.path)
		__builtin_trap();
	memset(&d, 0, sizeof d);
	memcpy(&d, data, n < sizeof d ? n : sizeof d);
	diagnostic_sane(&d);
	if (strlen(d.what) >= sizeof d.what)
		__builtin_trap();
	return 0;
}
