/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sharing.h - what of the host is named by two vdevs of one board, though it takes one. Worker.
 *
 * The locks of the start would refuse it too, but as something that another VM has.
 */
#pragma once

#include <stdbool.h>

struct draft;
struct findings;

/* Are the two paths of one file? */
typedef bool sharing_same(const char *a, const char *b);

/* After wiring_check(), which resolves the paths. NULL: they are compared as they are written. */
void sharing_check(const struct draft *d, sharing_same *is_same, struct findings *f);
