/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ground.h - does what the supervisor itself stands on still hold? From what a look at the host shows
 * to what has given way, the gravest first; it decides and never acts. Supervisor. hostsafe.c looks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum ground {
	GROUND_HOLDS,
#define GROUND(symbol, id, what, mend) GROUND_##symbol,
#include "schemas/ground.def"
#undef GROUND
	GROUND_COUNT
};

struct ground_sight {
	bool has_state_dir; /* the folder that was locked at the start is still at its path */
	bool can_write_state;
	bool is_store_damaged, is_store_failing;
	bool is_store_busy; /* why it fails */
	bool has_run_dir;
	bool has_kvm;
	int64_t wall_ms;
	uint64_t boot_ms; /* since the host's boot, suspended or not */
};

/* What is remembered from look to look: how far the wall clock was ahead of the time since boot. */
struct ground_watch {
	int64_t ahead_ms;
	bool has_looked;
};

enum ground ground_judge(struct ground_watch *w, const struct ground_sight *s);
const char *ground_id(enum ground g);
const char *ground_what(enum ground g); /* for people */
const char *ground_mend(enum ground g); /* what to do before a release */
