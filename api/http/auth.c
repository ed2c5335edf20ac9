/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/auth.h"

#include <fnmatch.h>
#include <stdio.h>
#include <grp.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/http/tls.h"
#include "api/view/db.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"

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

/* Of a TCP connection the kernel knows no user: it has no role until it proves who it is. */
bool auth_is_remote(int connection)
{
	struct sockaddr_storage s = {0};
	socklen_t n = sizeof s;

	return getsockname(connection, (struct sockaddr *)&s, &n) == 0 && s.ss_family != AF_UNIX;
}

int auth_caller(const struct auth *a, int connection, struct msg_caller *ret, struct err *e)
{
	struct ucred who;
	socklen_t n = sizeof who;
	gid_t group[GROUPS];
	socklen_t bytes = sizeof group - sizeof group[0];
	unsigned n_groups = 0;

	if (auth_is_remote(connection)) {
		*ret = (struct msg_caller){
			.uid = (uint32_t)-1, .gid = (uint32_t)-1, .role = ROLE_ANYONE};
		return 0;
	}

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

static int ended(const char *name, struct err *e)
{
	return err_set(e, IDENTITY, "the token '%s' has ended", name);
}

/* Its columns: name, role, vms, expires_ms, created_ms. */
static int read_token(struct sqlite3_stmt *q, struct msg_caller *c, struct auth_grant *ret,
		      struct err *e)
{
	int64_t expires_ms = db_int(q, 3);
	unsigned role = ROLE_ADMIN;

	if (expires_ms && expires_ms <= clock_wall_ms())
		return ended(db_text(q, 0), e);
	while (role > ROLE_READER && strcmp(role_id(role), db_text(q, 1)) != 0)
		role--;
	c->role = role;
	str_copy(c->identity, sizeof c->identity, db_text(q, 0));
	*ret = (struct auth_grant){.created_ms = db_int(q, 4), .expires_ms = expires_ms};
	str_copy(ret->scope, sizeof ret->scope, db_text(q, 2));
	return 0;
}

static int known(struct db *d, const char *hash, struct msg_caller *c, struct auth_grant *ret,
		 struct err *e)
{
	struct sqlite3_stmt *q = db_query(d, token_bearer, DB_TEXT(hash));
	int got = db_row(d, q, e), result;

	if (got <= 0)
		return got;
	result = read_token(q, c, ret, e);
	db_leave(q);
	return result < 0 ? -1 : 1;
}

int auth_token(struct db *d, const char *header, struct msg_caller *c, struct auth_grant *ret,
	       struct err *e)
{
	static const char scheme[] = "Bearer ";
	char hash[DIGEST_HEX];
	int got;

	if (strncasecmp(header, scheme, sizeof scheme - 1) != 0)
		return err_set(e, IDENTITY,
			       "the header Authorization is of another kind than "
			       "`Bearer SECRET`");
	header += sizeof scheme - 1;
	digest_hex(header, strlen(header), hash);
	got = known(d, hash, c, ret, e);
	if (got == 0)
		return err_set(e, IDENTITY,
			       "no token has that secret: it was deleted, or is of "
			       "another host");
	return got < 0 ? -1 : 0;
}

int auth_certificate(struct db *d, const struct tls_client *of, struct msg_caller *c,
		     struct auth_grant *ret, struct err *e)
{
	char key[NAME_CAP + 16];
	int got;

	snprintf(key, sizeof key, "certificate:%.48s", of->name);
	got = known(d, key, c, ret, e);
	if (got == 0)
		return err_set(e, IDENTITY,
			       "the client certificate '%s' has no role here; `qvmadm token create "
			       "%s --certificate` gives it one",
			       of->name, of->name);
	if (got < 0)
		return -1;
	ret->is_certificate = true;
	ret->certificate_ends_ms = of->ends_ms;
	return 0;
}

int auth_has_expired(const char *certificate, struct err *e)
{
	return err_set(e, IDENTITY, "the client certificate '%s' has expired", certificate);
}

int auth_still(struct db *d, const char *name, int64_t created_ms, struct err *e)
{
	struct sqlite3_stmt *q = db_query(d, token_life, DB_TEXT(name));
	int got = db_row(d, q, e);
	int64_t now_created_ms = 0, expires_ms = 0;

	if (got < 0)
		return -1;
	if (got) {
		now_created_ms = db_int(q, 0);
		expires_ms = db_int(q, 1);
		db_leave(q);
	}
	if (now_created_ms != created_ms)
		return err_set(e, IDENTITY, "the token '%s' was deleted", name);
	return expires_ms && expires_ms <= clock_wall_ms() ? ended(name, e) : 0;
}

bool auth_may_see(const char *scope, const char *vm)
{
	return !*scope || (*vm && fnmatch(scope, vm, 0) == 0);
}

/* Of a scope are VMs; lists are cut to them. The host's own matters are of none. */
static int check_scope(const char *scope, enum op_id op, const char *name, struct err *e)
{
	const struct op *o = &op_table[op];
	bool is_vms = strstr(o->path, "{vm}") != NULL;

	if (!*scope || (is_vms && auth_may_see(scope, name)))
		return 0;
	if (is_vms)
		return err_set(e, DENIED, "this token is for VMs that match '%s', '%s' does not",
			       scope, name);
	if (o->kind == OP_KIND_VIEW && o->role <= ROLE_READER)
		return 0;
	return op == OP_check ? 0
			      : err_set(e, DENIED,
					"%s %s is about the host; this token is for VMs that match "
					"'%s' alone",
					op_method_name(o->method), o->path, scope);
}

int auth_check(const struct msg_caller *c, const char *scope, enum op_id op, const char *name,
	       struct err *e)
{
	const struct op *o = &op_table[op];

	if (c->role >= (unsigned)o->role)
		return check_scope(scope, op, name, e);
	if (c->role == ROLE_ANYONE)
		return err_set(e, IDENTITY,
			       "%s %s needs the role '%s', and over TCP nobody has one "
			       "without a token or a client certificate",
			       op_method_name(o->method), o->path, role_id(o->role));
	if (c->identity[0])
		return err_set(e, DENIED, "%s %s needs the role '%s' and '%s' has '%s'",
			       op_method_name(o->method), o->path, role_id(o->role), c->identity,
			       role_id(c->role));
	return err_set(
		e, DENIED,
		"%s %s needs the role '%s' and uid %u has '%s'; members of the group '%s' and "
		"root have it",
		op_method_name(o->method), o->path, role_id(o->role), c->uid, role_id(c->role),
		group_name[o->role] ? group_name[o->role] : "qvm-admin");
}
