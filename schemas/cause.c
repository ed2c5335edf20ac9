/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/cause.h"

#include <string.h>

static const struct {
	const char *id, *sentence;
	int exit;
	enum cause_class class;
} table[CAUSE_COUNT] = {
#define CAUSE(sym, id, exit, class, sentence)                                                      \
	[CAUSE_##sym] = {id, sentence, exit, CAUSE_CLASS_##class},
#include "schemas/causes.def"
#undef CAUSE
};

static unsigned bound(unsigned c)
{
	return c < CAUSE_COUNT ? c : CAUSE_WORKER_EXIT;
}

const char *cause_id(unsigned c)
{
	return table[bound(c)].id;
}

const char *cause_sentence(unsigned c)
{
	return table[bound(c)].sentence;
}

enum cause_class cause_class(unsigned c)
{
	return table[bound(c)].class;
}

int cause_exit(unsigned c)
{
	return table[bound(c)].exit;
}

bool cause_is_failure(unsigned c)
{
	enum cause_class class = cause_class(c);

	return class == CAUSE_CLASS_FAILURE || class == CAUSE_CLASS_WATCHDOG;
}

bool cause_can_freeze(unsigned c)
{
	switch (bound(c)) {
	case CAUSE_POWEROFF:
	case CAUSE_REBOOT:
	case CAUSE_WATCHDOG:
	case CAUSE_UNSUPPORTED:
	case CAUSE_VDEV_REQUEST:
	case CAUSE_TRIPLE_FAULT:
	case CAUSE_HALTED:
	case CAUSE_KVM_INTERNAL:
	case CAUSE_UNKNOWN_EXIT:
	case CAUSE_GUEST_PANIC: return true;
	default: return false;
	}
}

enum cause cause_from_id(const char *id)
{
	for (unsigned c = 0; c < CAUSE_COUNT; c++)
		if (!strcmp(table[c].id, id))
			return (enum cause)c;
	return CAUSE_NONE;
}
