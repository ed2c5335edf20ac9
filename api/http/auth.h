/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth.h - who is at the other end of a connection, and which role that gives. qvm-api.
 *
 * The kernel says who (SO_PEERCRED, SO_PEERGROUPS of the unix socket): uid 0 and the supervisor's
 * own uid are admin; the groups qvm-admin and qvm-operator give their role; whoever else may open
 * the socket is a reader. A token gives its role, for the VMs that its scope names: with one, root is
 * no more than the token.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "schemas/message.h"
#include "schemas/op.h"

struct db;
struct tls_client;

/* What a token or certificate gives beside a role; all 0 without one. */
struct auth_grant {
	char scope[NAME_CAP];		/* pattern of the VMs that the caller may see; "" = all */
	int64_t created_ms, expires_ms; /* wall; expires 0 = never */
	bool is_certificate;
	int64_t certificate_ends_ms; /* wall: its own end; 0 = never */
};

struct auth {
	uid_t own_uid;		 /* of the supervisor */
	gid_t group[ROLE_COUNT]; /* that gives the role; (gid_t)-1 = none */
	bool is_borrowed; /* a user namespace shows own_uid as 0 and everyone else as nobody */
};

/* Look up the groups; before the sandbox closes over /etc. */
void auth_open(struct auth *a, bool is_borrowed);
/* Over TCP, not over the unix socket. */
bool auth_is_remote(int connection);
/* The caller of an accepted connection, for every message about its requests. */
int auth_caller(const struct auth *a, int connection, struct msg_caller *ret, struct err *e);
/* The pure part: the role of a uid with these groups. */
enum role auth_role(const struct auth *a, uid_t uid, const gid_t *group, unsigned n_groups);
/* The caller that an Authorization header makes of the one of the connection. ERR_IDENTITY: no such
 * token, or it has ended. */
int auth_token(struct db *d, const char *header, struct msg_caller *c, struct auth_grant *ret,
	       struct err *e);
/* The same of a genuine client certificate, by its common name. */
int auth_certificate(struct db *d, const struct tls_client *of, struct msg_caller *c,
		     struct auth_grant *ret, struct err *e);
/* The error of a client certificate that is past its own end. */
int auth_has_expired(const char *certificate, struct err *e);
/* Does the token or certificate of that name, created then, still let in? ERR_IDENTITY says why not;
 * with another error it is not known. */
int auth_still(struct db *d, const char *name, int64_t created_ms, struct err *e);
/* ERR_DENIED names the role that the operation needs, or the VMs that the caller is for. name: of the
 * path's VM or other thing; "" = none. */
int auth_check(const struct msg_caller *c, const char *scope, enum op_id op, const char *name,
	       struct err *e);
/* Is that VM ("" = the host) one of those that a scope is for? */
bool auth_may_see(const char *scope, const char *vm);
