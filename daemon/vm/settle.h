/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settle.h - a VM has ended: explain it, decide what follows, close what waited. Supervisor.
 * The worker, if there was one, is reaped; the observed column has changed already.
 */
#pragma once

struct daemon;
struct vm;

/* Reads v->end; frees the worker. */
void settle_end(struct daemon *d, struct vm *v);
