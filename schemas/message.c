/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/message.h"

#include <string.h>

#include "base/auto.h"
#include "base/blackbox.h"
#include "base/str.h"

static const struct wire_rule rules[MESSAGE_COUNT] = {
#define MSG(name, dir, body, fds, what)                                                            \
	[MESSAGE_##name] = {#name, WIRE_##dir, sizeof(struct body), fds},
#include "schemas/messages.def"
#undef MSG
};
#define MSG(name, dir, body, fds, what)                                                            \
	_Static_assert(sizeof(struct body) <= WIRE_BODY && (fds) <= WIRE_FDS, #name);
#include "schemas/messages.def"
#undef MSG

const struct wire_table message_table = {rules, MESSAGE_COUNT};

/* FNV-1a */
static uint64_t mix(uint64_t hash, uint8_t byte)
{
	return (hash ^ byte) * UINT64_C(0x100000001b3);
}

static uint64_t mix_number(uint64_t hash, uint32_t n)
{
	for (unsigned shift = 0; shift < 32; shift += 8)
		hash = mix(hash, (uint8_t)(n >> shift));
	return hash;
}

uint64_t message_fingerprint(void)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (uint32_t i = 1; i < MESSAGE_COUNT; i++) {
		const struct wire_rule *r = &rules[i];

		if (r->dir != WIRE_TO_WORKER && r->dir != WIRE_FROM_WORKER)
			continue;
		hash = mix_number(mix_number(hash, i), r->dir);
		hash = mix_number(mix_number(hash, r->bytes), r->fds);
		for (const char *c = r->name; *c; c++)
			hash = mix(hash, (uint8_t)*c);
	}
	return hash;
}

const char *want_kind_id(uint32_t kind)
{
	static const char *const id[WANT_COUNT] = {
#define WANT(id, lower, name, warm, what) name,
#include "schemas/wants.def"
#undef WANT
	};

	return kind < WANT_COUNT ? id[kind] : "?";
}

enum want_warm want_warm(const struct msg_want *w)
{
	static const enum want_warm how[WANT_COUNT] = {
#define WANT(id, lower, name, warm, what) WANT_WARM_##warm,
#include "schemas/wants.def"
#undef WANT
	};

	return !w->path[0] || !strcmp(w->path, "-") ? WANT_WARM_FREE : how[w->kind];
}

int message_check_want(const struct msg_want *w, uint32_t expected_index, struct err *e)
{
	if (w->index != expected_index || w->index >= MESSAGE_WANTS_MAX)
		return err_set(e, PROTOCOL, "WANT number %u where %u was due", w->index,
			       expected_index);
	if (w->kind >= WANT_COUNT)
		return err_set(e, PROTOCOL, "WANT of an unknown kind %u", w->kind);
	if (!str_is_terminated(w->path, sizeof w->path) ||
	    !str_is_terminated(w->option, sizeof w->option))
		return err_set(e, PROTOCOL, "WANT %u has a text without an end", w->index);
	return 0;
}

int message_check_plan(const struct msg_plan *p, uint32_t n_wants, struct err *e)
{
	if (p->n_wants != n_wants)
		return err_set(e, PROTOCOL, "PLAN counts %u wants, %u were sent", p->n_wants,
			       n_wants);
	if (p->n_vcpus == 0 || p->n_vcpus > BLACKBOX_MAX_VCPUS || p->n_vdevs > BLACKBOX_MAX_VDEVS)
		return err_set(e, PROTOCOL, "PLAN with %u vCPUs and %u vdevs", p->n_vcpus,
			       p->n_vdevs);
	if (!str_is_terminated(p->partition, sizeof p->partition))
		return err_set(e, PROTOCOL, "PLAN with a partition without an end");
	if (p->max_priority > 99)
		return err_set(e, PROTOCOL, "PLAN with a vCPU of priority %u", p->max_priority);
	return 0;
}
