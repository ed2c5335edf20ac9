/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifecycle.h - the names of the states and events; the tables are states.def and lifecycle.def.
 * Who acts on them: daemon/decide/lifecycle.c (the table), daemon/vm/action.c (the deeds). All processes.
 */
#pragma once

enum desired {
#define DESIRED(sym, id) DESIRED_##sym,
#include "schemas/states.def"
#undef DESIRED
	DESIRED_COUNT
};

enum observed {
#define STATE(sym, id) OBSERVED_##sym,
#include "schemas/states.def"
#undef STATE
	OBSERVED_COUNT
};

enum health {
#define HEALTH(sym, id) HEALTH_##sym,
#include "schemas/states.def"
#undef HEALTH
	HEALTH_COUNT
};

enum pair {
#define PAIR(sym, id) PAIR_##sym,
#include "schemas/states.def"
#undef PAIR
	PAIR_COUNT
};

enum vm_event {
#define EVENT(sym, id) VM_EVENT_##sym,
#include "schemas/states.def"
#undef EVENT
	VM_EVENT_COUNT
};

const char *desired_id(unsigned v);
const char *observed_id(unsigned v);
const char *health_id(unsigned v);
const char *pair_id(unsigned v);
const char *vm_event_id(unsigned v);
/* The value of a stored word, or -1. */
int desired_from_id(const char *id);
int observed_from_id(const char *id);
int health_from_id(const char *id);
int pair_from_id(const char *id);
