/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overlap.h - no two parts of the board answer the same address or port. Worker.
 */
#pragma once

struct draft;
struct findings;

/* Every clash of memory, vdevs and reserved places, each naming both lines. */
void overlap_check(const struct draft *d, struct findings *f);
