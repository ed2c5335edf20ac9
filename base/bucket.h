/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bucket.h - how often a line may be said that a guest or a failing host can bring about again and again.
 * Every process; part of what the line is about, any thread, no lock.
 *
 * The first one at once, then one a minute, with how many there were in between.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { BUCKET_MS = 60000 };

struct bucket {
	_Atomic uint64_t next_ms; /* not before; 0 = at once */
	_Atomic uint64_t n_held;  /* since the last one that was said */
};

enum { BUCKET_TEXT = 64 };

/* True: say it, with this text behind it, which says how many there were in between, if any. False: it
 * is counted. */
bool bucket_take(struct bucket *b, uint64_t now_ms, char ret_text[static BUCKET_TEXT]);
