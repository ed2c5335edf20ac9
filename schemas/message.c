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

static uint64_t mix(uint64_t hash, const void *bytes, size_t n)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ b[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
	return hash;
}

uint64_t message_fingerprint(void)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (uint32_t i = 1; i < MESSAGE_COUNT; i++) {
		const struct wire_rule *r = &rules[i];
		const uint32_t row[] = {i, r->dir, r->bytes, r->fds};

		if (r->dir != WIRE_TO_WORKER && r->dir != WIRE_FROM_WORKER)
			continue;
		hash = mix(mix(hash, row, sizeof row), r->name, strlen(r->name));
	}
	return hash;
}

const char *want_kind_id(uint32_t kind)
{
	static const char *const id[WANT_COUNT] = {
#define WANT(id, lower, name, what) name,
#include "schemas/wants.def"
#undef WANT
	};

	return kind < WANT_COUNT ? id[kind] : "?";
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
	if (p->max_priority > 99)
		return err_set(e, PROTOCOL, "PLAN with a vCPU of priority %u", p->max_priority);
	return 0;
}
