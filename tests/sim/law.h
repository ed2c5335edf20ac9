/* SPDX-License-Identifier: Apache-2.0 */
/* law.h - what must hold whenever a worker is spawned: intent, pairs, order. tests/sim only. */
#pragma once

struct vm;

/* A breach ends the program. */
void law_of_spawn(const struct vm *v);
