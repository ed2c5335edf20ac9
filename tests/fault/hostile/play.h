/* SPDX-License-Identifier: Apache-2.0 */
/* play.h - as much of a worker as a hostile one needs to be believed: its link is fd 3. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blackbox.h"
#include "schemas/message.h"

enum { LINK = 3 };

/* Read CONFIG and close the sandbox; the name of the VM. An unarmed one becomes the real qvm. */
const char *play_begin(int argc, char **argv);
const char *play_name(void);
void play_say(unsigned type, const void *body);
void play_want(uint32_t index, uint32_t kind, uint64_t bytes, const char *path);
/* All that a VM needs, `more` (WANT_COUNT = nothing) besides, and the PLAN. */
void play_ask(uint64_t ram_bytes, uint32_t more, const char *path);
/* Ask, be granted, and run, as far as the supervisor can tell. */
void play_run(void);
struct blackbox_map *play_box(void);
/* What stands behind the # of its configuration. */
void play_path(char *ret, size_t cap);
void play_end(uint32_t cause, uint32_t exit_code);
__attribute__((noreturn)) void play_for_ever(void);
__attribute__((noreturn)) void play_beat_for_ever(void);
