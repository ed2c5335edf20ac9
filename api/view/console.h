/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console.h - what a guest printed and what its worker logged: the two rings of text in its black box,
 * as bytes. qvm-api.
 *
 * Whoever follows reads the ring at his own pace; nobody pumps bytes. A worker cannot wake us, so
 * the rings of followed VMs are looked at every CONSOLE_POLL_MS, and no ring when nobody follows.
 */
#pragma once

#include <stdint.h>

struct api;
struct consoles;
struct request;

enum { CONSOLE_POLL_MS = 50 };

struct consoles *consoles_new(struct api *api);
void consoles_free(struct consoles *c);
/* Boxes came or went, or all streams shall end. */
void console_wake(struct consoles *c);

/* Where vm_attach's parameters say that a client begins; 0, 0 before the first worker. */
void console_begin(const struct request *r, uint64_t *ret_generation, uint64_t *ret_pos);
