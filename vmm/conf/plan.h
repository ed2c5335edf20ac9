/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - a checked board, shown before it is built: what `dryrun` prints. Worker.
 */
#pragma once

#include <stdio.h>

struct board;

/* The memory map, images, vCPUs, vdevs and host files, for people. */
void plan_print(const struct board *b, FILE *out);
/* The same as one JSON object, indented; the caller frees it. */
char *plan_json(const struct board *b);
