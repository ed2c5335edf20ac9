/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trial.h - what runs in a shared object before anybody has called it, run where it can end nobody. Worker.
 *
 * Constructors run inside dlopen(), which cannot be left alive when one of them crashes or calls _exit().
 * So an object is loaded by a process of its own first, whose end is the answer.
 */
#pragma once

#include "base/err.h"

/* Whoever loads the object at path outlives that, be it with success or not. ERR_CONFIG: it would not;
 * ERR_RESOURCE. What the object prints meanwhile is thrown away. */
int trial_load(const char *path, struct err *e);
