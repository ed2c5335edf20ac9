/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.h - what qvm-api still sees of its host from its jail: descriptors that were opened before the
 * root became empty, and what the kernel tells anybody. qvm-api; part of struct api.
 */
#pragma once

#include <stdint.h>

struct window {
	int meminfo_fd, state_fd; /* -1 = it could not be opened */
};

struct window_memory {
	uint64_t total, available, swap_used, huge_page; /* bytes */
	uint64_t huge_pages, huge_pages_free;
};

void window_open(struct window *w, const char *state_dir);
void window_close(struct window *w);
struct window_memory window_memory(const struct window *w);
/* Of the file system that the state is on; 0 where it does not say. */
void window_room(const struct window *w, uint64_t *ret_free, uint64_t *ret_total);
/* Bytes of the database with its log. */
uint64_t window_database(const struct window *w);
/* Of the host since its boot; and its load of the last minute, times 100. */
void window_uptime(uint64_t *ret_ms, uint64_t *ret_load);
