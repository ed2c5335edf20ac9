/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suggest.h - "did you mean": the nearest of some names. Worker.
 */
#pragma once

struct suggestion {
	const char *word; /* as written */
	const char *best; /* NULL while nothing is near enough */
	unsigned distance;
};

/* Offer a name; the nearest of all offered stays in s->best. Case does not count. */
void suggest_consider(struct suggestion *s, const char *name);
