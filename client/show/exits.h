/* SPDX-License-Identifier: Apache-2.0 */
/* exits.h - the last exits of a VM as a table. qvmadm. */
#pragma once

#include <jansson.h>

/* The newest `most` of a list that is sorted oldest first. `head` names the first column. */
void exits_print(const json_t *exits, size_t most, const char *head);
