/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h - the stored row of a VM, its revisions and policies. Supervisor; part of struct vm.
 * The caller holds the transaction.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/name.h"
#include "daemon/decide/health.h"
#include "daemon/decide/limits.h"
#include "schemas/cause.h"
#include "schemas/lifecycle.h"
#include "schemas/message.h"
#include "schemas/op.h"
#include "schemas/policy.h"

struct store;

enum {
	RECORD_REASON = 384,
	RECORD_CGROUP = 512,
	RECORD_BOOT = 40,
	RECORD_REVISIONS = 64, /* that are kept of one VM, and the one that runs; older ones go */
	RECORD_UIDS = (1 << 24) - 16, /* after so many, ids come to a uid that was another's */
};

/* Columns of table vm; times are wall milliseconds. */
struct record {
	int64_t id;
	char name[NAME_CAP];
	int64_t revision, running_revision;
	enum desired desired;
	enum observed observed;
	enum health health; /* the worst of the three signals */
	enum health process, worker, guest;
	char why[HEALTH_WHY]; /* what is wrong with it, for people */
	enum cause cause;
	enum pair pair; /* of a primary: who of the two is to run */
	char reason[RECORD_REASON];
	int64_t pid;
	uint64_t pid_start;
	int64_t generation, restarts;
	int64_t since_ms, restart_at_ms, created_ms;
	char boot[RECORD_BOOT];	    /* of the host, in which since_ms is: host_boot_id() */
	char cgroup[RECORD_CGROUP]; /* that holds its worker; "" = none of its own */
	char limits[LIMITS_TEXT];   /* what holds it to which; "" = it has no worker */
};

/* The columns that a verdict of health.h fills. */
void record_health(struct record *r, const struct health_verdict *v);
/* Nobody is there to be well or ill. */
void record_no_health(struct record *r);
/* A new worker will carry the newest revision. */
void record_renew(struct record *r);
/* A new row; *r gets its id, which no VM had before. */
int record_insert(struct store *s, struct record *r, struct err *e);
int record_update(struct store *s, const struct record *r, struct err *e);
int record_delete(struct store *s, int64_t id, struct err *e);
/* Call `each` for every row, by name. A row with a word that this program does not know is logged
 * and left alone. */
int record_each(struct store *s, int (*each)(void *arg, const struct record *r, struct err *e),
		void *arg, struct err *e);

struct record_revision {
	int64_t vm, revision;
	const char *config;
	size_t bytes;
	const char *folder;
	const struct policy *policy;
	int64_t created_ms;
	uint32_t uid;
	const char *identity; /* of a token or certificate; "" = the uid */
	enum op_id op;	      /* that made it */
	int64_t restores;     /* the revision that it is again; 0 = none */
};
int record_add_revision(struct store *s, const struct record_revision *r, struct err *e);
/* A configuration as it was defined. Own it with AUTO(record_text_free). */
struct record_text {
	char *config; /* terminated */
	size_t bytes;
	char folder[MESSAGE_PATH]; /* relative paths resolve against it; "" = none */
};
int record_config(struct store *s, int64_t vm, int64_t revision, struct record_text *ret,
		  struct err *e);
void record_text_free(struct record_text *t);
int record_policy(struct store *s, int64_t vm, int64_t revision, struct policy *ret, struct err *e);
/* What it runs under while `newest`, the policy of r->revision, is defined; without a worker that says
 * nothing. */
int record_running(struct store *s, const struct record *r, const struct policy *newest,
		   struct policy *ret, struct err *e);
/* ERR_NOT_FOUND says which there are. */
int record_kept(struct store *s, const struct record *r, int64_t revision, struct err *e);
