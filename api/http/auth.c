/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/auth.h"

#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"

enum { GROUPS = 1024 };

static const char *const group_name[ROLE_COUNT] = {
	[ROLE_OPERATOR] = "qvm-operator", [ROLE_ADMIN] = "qvm-admin"};

void auth_open(struct auth *a, bool is_borrowed)
{
	*a = (struct auth){.own_uid = geteuid(), .is_borrowed = is_borrowed};
	for (unsigned r = 0; r < ROLE_COUNT; r++) {
		struct group *g = group_name[r] ? getgrnam(group_name[r]) : NULL;

		a->group[r] = g ? g->gr_gid : (gid_t)-1;
	}
}

static bool is_member(gid_t wanted, const gid_t *group, unsigned n_groups)
{
	for (unsigned i = 0; i < n_groups; i++)
		if (group[i] == wanted && wanted != (gid_t)-1)
			return true;
	return false;
}

enum role auth_role(const struct auth *a, uid_t uid, const gid_t *group, unsigned n_groups)
{
	if (uid == 0 || uid == a->own_uid)
		return ROLE_ADMIN;
	for (unsigned r = ROLE_ADMIN; r > ROLE_READER; r--)
		if (is_member(a->group[r], group, n_groups))
			return (enum role)r;
	return ROLE_READER;
}

int auth_caller(const struct auth *a, int connection, struct msg_caller *ret, struct err *e)
{
	struct ucred who;
	socklen_t n = sizeof who;
	gid_t group[GROUPS];
	socklen_t bytes = sizeof group - sizeof group[0];
	unsigned n_groups = 0;

	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0 || who.uid == (uid_t)-1)
		return err_sys(e, DENIED, "ask the kernel who is calling");
	/* More groups than fit: only the primary one counts, which can only take a role away. */
	if (getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, group, &bytes) == 0)
		n_groups = bytes / sizeof group[0];
	group[n_groups++] = who.gid;
	if (a->is_borrowed) {
		bool is_own = who.uid == 0;

		*ret = (struct msg_caller){.uid = is_own ? a->own_uid : who.uid,
					   .gid = who.gid,
					   .pid = (uint32_t)who.pid,
					   .role = is_own ? ROLE_ADMIN : ROLE_READER};
		return 0;
	}
	*ret = (struct msg_caller){.uid = who.uid,
				   .gid = who.gid,
				   .pid = (uint32_t)who.pid,
				   .role = auth_role(a, who.uid, group, n_groups)};
	return 0;
}

int auth_check(const struct msg_caller *c, enum op_id op, struct err *e)
{
	const struct op *o = &op_table[op];

	if (c->role >= (unsigned)o->role)
		return 0;
	return err_set(
		e, DENIED,
		"%s %s needs the role '%s' and uid %u has '%s'; members of the group '%s' and "
		"root have it",
		op_method_name(o->method), o->path, role_id(o->role), c->uid, role_id(c->role),
		group_name[o->role] ? group_name[o->role] : "qvm-admin");
}
