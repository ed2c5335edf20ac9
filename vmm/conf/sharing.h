/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sharing.h - what of the host is named by two vdevs of one board, though it takes one. Worker.
 *
 * The locks of the start would refuse it too, but as something that another VM has. Paths are
 * compared as they are written: two names of one file are left to the locks.
 */
#pragma once

struct draft;
struct findings;

/* After wiring_check(), which resolves the paths. */
void sharing_check(const struct draft *d, struct findings *f);
