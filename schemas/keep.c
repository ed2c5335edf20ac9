/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/keep.h"

#include "base/str.h"

static const struct wire_rule rules[KEEPING_COUNT] = {
#define KEEPING(name, dir, body, fds, what)                                                        \
	[KEEPING_##name] = {#name, WIRE_##dir, sizeof(struct body), fds},
#include "schemas/keeping.def"
#undef KEEPING
};
#define KEEPING(name, dir, body, fds, what)                                                        \
	_Static_assert(sizeof(struct body) <= WIRE_BODY && (fds) <= WIRE_FDS, #name);
#include "schemas/keeping.def"
#undef KEEPING

const struct wire_table keeping_table = {rules, KEEPING_COUNT};

const char *keep_kind_id(uint32_t kind)
{
	static const char *const id[KEEP_COUNT] = {
		"any",
#define KEEP(id, name, what) name,
#include "schemas/keeps.def"
#undef KEEP
	};

	return kind < KEEP_COUNT ? id[kind] : "?";
}

int keep_check(const struct msg_keep *k, struct err *e)
{
	if (!str_is_terminated(k->owner, sizeof k->owner) ||
	    (k->owner[0] && !name_is_valid(k->owner)))
		return err_set(e, PROTOCOL, "a kept descriptor whose owner is no VM's name");
	/* A newer supervisor may have kinds that a running keeper does not know. */
	if (k->kind == KEEP_ANY)
		return err_set(e, PROTOCOL, "a kept descriptor of '%s' of no kind", k->owner);
	return 0;
}
