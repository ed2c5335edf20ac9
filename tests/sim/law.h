/* SPDX-License-Identifier: Apache-2.0 */
/* law.h - what must hold whenever a worker is spawned: intent, pairs, order. tests/sim only. */
#pragma once

#include <stdbool.h>

struct vm;

/* A breach ends the program. */
void law_of_spawn(const struct vm *v, bool is_held_back);
/* ... and before its guest is entered: never beside the other of its pair. */
void law_of_start(const struct vm *v);
