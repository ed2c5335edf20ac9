/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealed.h - memory as a file that its receiver can trust: memfds sealed against resizing, and texts
 * that nobody can change any more. Supervisor, API and lone worker. CLOEXEC.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* `bytes` zeroes, writable, of that size for ever. The fd, or -1 with errno. */
int sealed_memory(const char *name, uint64_t bytes);
/* Those bytes, read-only for ever. The fd, or -1 with errno. */
int sealed_text(const char *name, const char *text, size_t bytes);
