/* SPDX-License-Identifier: Apache-2.0 */
/* vm.h - a VM resource for people: the colours of its columns, and what to do next. qvmadm. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/show/term.h"

/* The style of a word of the column "desired", "observed", "health" or "cause". */
enum term_style vm_style(const char *column, const char *word);
/* "web: is now at revision 3", or that nothing changes. */
void vm_print_revision(const char *vm, int64_t revision, bool is_new);
/* A line of what waits for the next start, if anything does. */
void vm_print_pending(const json_t *vm);
/* When it is in its safe state: why, and which verbs lead out of it. now_ms: wall time. */
void vm_print_advice(const json_t *vm, int64_t now_ms);
