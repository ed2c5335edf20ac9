/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attach.h - a console as a WebSocket: what the guest prints, at each viewer's own pace, and what one
 * of them types. qvm-api.
 *
 * Binary messages are bytes, either way. Text messages are JSON. To the client:
 *   {"type":"at","generation":3,"position":12,"lost":0}  where the next byte is; at the beginning, with
 *                     each worker, and where `lost` bytes came too fast for this viewer
 *   {"type":"writer","writer":"uid 0","you":false}        who types now; null = nobody
 *   {"type":"held","held":true}                           what was typed waits: the guest does not read
 *   {"type":"refused","problem":{...}}                    what was typed is thrown away
 * From the client:
 *   {"type":"write","force":true}   I type; by force: nobody else any more
 *   {"type":"leave"}                I type no more
 *   {"type":"resize", ...}          taken, and nothing comes of it: a UART has no size
 *
 * While what was typed waits for its guest no more is read of that client, so it holds one message here
 * and what it goes on to send in its own socket. A guest that never reads costs that client alone; others
 * may take the right to type by force, and then, or when the guest ends, what waits is thrown away.
 */
#pragma once

#include <stdint.h>

struct api;
struct attached;
struct msg_answer;

enum { ATTACH_POLL_MS = 50, ATTACH_BRISK_MS = 5 /* while somebody types */ };

struct attached *attached_new(struct api *api);
void attached_free(struct attached *all);
/* From the link: of what one of them has typed, or of none of them. */
void attach_answer(struct attached *all, uint64_t request, const struct msg_answer *a);
/* That VM was deleted. */
void attach_forget(struct attached *all, const char *vm);
/* The process ends. */
void attach_end_all(struct attached *all);
