/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/resource.h"

#include <string.h>

#include "base/auto.h"
#include "schemas/cause.h"
#include "schemas/diagnostic.h"
#include "schemas/journal.h"
#include "schemas/lifecycle.h"
#include "schemas/message.h"
#include "schemas/policy.h"

const struct resource_field resource_fields[FIELD_COUNT] = {
#define RESOURCE(resource, what)
#define FIELD(resource_, name_, kind_, of_, presence_, what_)                                      \
	[FIELD_##resource_##_##name_] = {.resource = RESOURCE_##resource_,                         \
					 .name = #name_,                                           \
					 .of = #of_,                                               \
					 .what = what_,                                            \
					 .kind = FIELD_##kind_,                                    \
					 .presence = FIELD_##presence_},
#include "schemas/resources.def"
#undef RESOURCE
#undef FIELD
};

static const struct {
	const char *name, *what;
} table[RESOURCE_COUNT] = {
#define RESOURCE(resource, what) [RESOURCE_##resource] = {#resource, what},
#define FIELD(resource, name, kind, of, presence, what)
#include "schemas/resources.def"
#undef RESOURCE
#undef FIELD
};

/* Each operation's `in` and `out` is a resource: what is none does not compile. */
enum {
#define OP(id, kind, method, path, role, in, out, status, cli, summary)                            \
	OP_##id##_IN = RESOURCE_##in, OP_##id##_OUT = RESOURCE_##out,
#include "schemas/ops.def"
#undef OP
};

const char *resource_name(enum resource r)
{
	return table[r].name;
}

const char *resource_what(enum resource r)
{
	return table[r].what;
}

bool resource_has(enum resource r, const char *member)
{
	for (unsigned i = 0; i < FIELD_COUNT; i++)
		if (resource_fields[i].resource == r && !strcmp(resource_fields[i].name, member))
			return true;
	return false;
}

enum resource resource_find(const char *name)
{
	unsigned r = 0;

	while (r < RESOURCE_COUNT && strcmp(table[r].name, name) != 0)
		r++;
	return (enum resource)r;
}

static const char *desired_word(unsigned i)
{
	return i < DESIRED_COUNT ? desired_id(i) : NULL;
}

static const char *observed_word(unsigned i)
{
	return i < OBSERVED_COUNT ? observed_id(i) : NULL;
}

static const char *health_word(unsigned i)
{
	return i < HEALTH_COUNT ? health_id(i) : NULL;
}

static const char *cause_word(unsigned i)
{
	return i < CAUSE_COUNT ? cause_id(i) : NULL;
}

static const char *severity_word(unsigned i)
{
	return i <= DIAGNOSTIC_NOTE ? diagnostic_severity_id(i) : NULL;
}

static const char *want_word(unsigned i)
{
	return i < WANT_COUNT ? want_kind_id(i) : NULL;
}

static const char *event_word(unsigned i)
{
	return i < JOURNAL_COUNT ? journal_table[i].id : NULL; /* READY is a stream's first, too */
}

#define WORDS(name, ...)                                                                           \
	static const char *name##_word(unsigned i)                                                 \
	{                                                                                          \
		static const char *const word[] = {__VA_ARGS__};                                   \
                                                                                                   \
		return i < NELEMS(word) ? word[i] : NULL;                                          \
	}
WORDS(role, "reader", "operator", "admin") /* enum role from ROLE_READER on */
WORDS(token_kind, "bearer", "certificate")
WORDS(caller_kind, "uid", "bearer", "certificate")
WORDS(part, "none", "primary", "standby")
WORDS(alive, "ok", "host-safe", "unavailable")
WORDS(ground, "sound", "safe")
WORDS(dump_state, "whole", "writing")
WORDS(access, "none", "read", "write")
WORDS(operation_state, "running", "done", "failed")
/* In the order of enum blackbox_state and enum blackbox_vcpu_state. */
WORDS(box, "empty", "assembling", "ready", "running", "paused", "ended")
WORDS(vcpu, "off", "guest", "exit", "halted", "held")
WORDS(class, "permitted", "read-only", "pass-through", "vdev", "kvm") /* enum blackbox_class */

const char *resource_word(const char *of, unsigned i)
{
	static const struct {
		const char *of;
		const char *(*word)(unsigned i);
	} words[] = {
		{"desired", desired_word},
		{"observed", observed_word},
		{"health", health_word},
		{"cause", cause_word},
		{"severity", severity_word},
		{"want", want_word},
		{"event", event_word},
		{"part", part_word},
		{"alive", alive_word},
		{"ground", ground_word},
		{"access", access_word},
		{"dump_state", dump_state_word},
		{"operation_state", operation_state_word},
		{"box", box_word},
		{"vcpu", vcpu_word},
		{"class", class_word},
		{"role", role_word},
		{"token_kind", token_kind_word},
		{"caller_kind", caller_kind_word},
	};

	for (size_t w = 0; w < NELEMS(words); w++)
		if (!strcmp(words[w].of, of))
			return words[w].word(i);
	return NULL;
}
