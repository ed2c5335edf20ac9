/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finding.h - the diagnostics of a configuration, printed as the worker alone prints them. qvmadm.
 */
#pragma once

#include <stdio.h>

#include <jansson.h>

struct source;

/* Print the "diagnostics" of an answer and, with its "more", their count. With a source, positions
 * and quoted lines are those of the file as its author wrote it; NULL: as the server tells. */
void finding_print(FILE *f, const json_t *answer, const struct source *s);
