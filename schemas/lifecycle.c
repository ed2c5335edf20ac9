/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/lifecycle.h"

#include <string.h>

#define WORD(sym, id) id,
static const char *const desired_word[] = {
#define DESIRED WORD
#include "schemas/states.def"
#undef DESIRED
};
static const char *const observed_word[] = {
#define STATE WORD
#include "schemas/states.def"
#undef STATE
};
static const char *const health_word[] = {
#define HEALTH WORD
#include "schemas/states.def"
#undef HEALTH
};
static const char *const pair_word[] = {
#define PAIR WORD
#include "schemas/states.def"
#undef PAIR
};
static const char *const event_word[] = {
#define EVENT WORD
#include "schemas/states.def"
#undef EVENT
};

static int find(const char *const *words, int n, const char *id)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(words[i], id))
			return i;
	return -1;
}

const char *desired_id(unsigned v)
{
	return v < DESIRED_COUNT ? desired_word[v] : "?";
}

const char *observed_id(unsigned v)
{
	return v < OBSERVED_COUNT ? observed_word[v] : "?";
}

const char *health_id(unsigned v)
{
	return v < HEALTH_COUNT ? health_word[v] : "?";
}

const char *pair_id(unsigned v)
{
	return v < PAIR_COUNT ? pair_word[v] : "?";
}

const char *vm_event_id(unsigned v)
{
	return v < VM_EVENT_COUNT ? event_word[v] : "?";
}

int desired_from_id(const char *id)
{
	return find(desired_word, DESIRED_COUNT, id);
}

int observed_from_id(const char *id)
{
	return find(observed_word, OBSERVED_COUNT, id);
}

int health_from_id(const char *id)
{
	return find(health_word, HEALTH_COUNT, id);
}

int pair_from_id(const char *id)
{
	return find(pair_word, PAIR_COUNT, id);
}
