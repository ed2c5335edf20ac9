/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boxes.h - the black boxes that qvmd has handed over, one a VM: that of its present or last
 * worker, mapped read-only. qvm-api; owned by main.c.
 *
 * Every byte in a box was written by a worker: see base/blackbox.h for what may be trusted.
 */
#pragma once

#include <stdint.h>

#include "base/blackbox.h"
#include "base/err.h"

enum { BOXES_MAX = 4096 };

struct boxes;

struct boxes_entry {
	char vm[NAME_CAP];
	uint64_t generation;
	struct blackbox_map map;
};

struct boxes *boxes_new(void);
void boxes_free(struct boxes *b);
/* Take the box of a VM's new worker in place of the one before. */
int boxes_put(struct boxes *b, const char *vm, uint64_t generation, int take_fd, struct err *e);
void boxes_drop(struct boxes *b, const char *vm);
/* NULL when the VM has none. Until the next put or drop. */
const struct boxes_entry *boxes_find(const struct boxes *b, const char *vm);
/* Since the guest was entered first; 0 before, or when the box says that it will be. */
uint64_t boxes_uptime_ms(const struct blackbox_map *m, uint64_t now_ns);
