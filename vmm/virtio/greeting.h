/* SPDX-License-Identifier: Apache-2.0 */
/*
 * greeting.h - the line by which a client of the host says whom in the guest it wants (virtio-vsock):
 * `CONNECT PORT` and a newline. It is whoever may open the socket: hostile. Worker.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { GREETING_MOST = 20 }; /* the longest line */

/* Of what has come so far: 1 with the port, 0 when more is to come, -1 when it is none. */
int greeting_read(const char *line, size_t n, uint32_t *ret_port);
