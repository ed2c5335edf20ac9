/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loading.h - what goes into the board's memory: there is memory, there is something to run, every
 * address lies in memory that was given before. Worker. Whether a file fits, only its length tells:
 * vmm/boot.
 */
#pragma once

struct conf_source;
struct draft;
struct findings;

/* Also resolves the paths of the files. */
void loading_check(struct draft *d, const struct conf_source *s, struct findings *f);
