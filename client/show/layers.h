/* SPDX-License-Identifier: Apache-2.0 */
/* layers.h - the layers of a process's sandbox, in a line. qvmadm. */
#pragma once

#include <jansson.h>

/* "complete, 15 layers", or what is missing, loudly. A newline ends it. */
void layers_print(const json_t *sandbox);
