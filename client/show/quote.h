/* SPDX-License-Identifier: Apache-2.0 */
/* quote.h - lines that someone else wrote, behind a bar, not to be mistaken for ours. qvmadm. */
#pragma once

/* The text, each line behind a bar at that indent; most > 0: only the last so many lines. Text of
 * client/show/field.h or escape_text(). */
void quote_print(const char *text, unsigned indent, unsigned most);
