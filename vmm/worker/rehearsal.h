/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rehearsal.h - what a dry run learns of the images by loading them as a start would: into memory that
 * nobody runs in, by a process of its own that has closed the sandbox, for every byte of them is
 * hostile. Lone worker.
 */
#pragma once

#include "base/err.h"

struct board;

/* 0, or -1 with the error that a start would end with; *ret_load as of image_load_board(). */
int rehearsal_load(struct board *b, unsigned *ret_load, struct err *e);
