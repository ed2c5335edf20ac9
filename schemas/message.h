/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h - the bodies of the messages of messages.def. Supervisor, API, worker.
 *
 * Every field from a peer is hostile until checked by its receiver: strings with
 * str_is_terminated() or *_sane(), numbers against their range.
 */
#pragma once

#include <stdint.h>

#include "base/cpulist.h"
#include "base/dumpfile.h"
#include "base/err.h"
#include "base/name.h"
#include "base/partition.h"
#include "base/wire.h"
#include "schemas/diagnostic.h"
#include "schemas/policy.h"

enum {
	MESSAGE_CONFIG_MAX = 1024 * 1024, /* bytes of qvmconf text */
	MESSAGE_WANTS_MAX = 256,	  /* host resources of one VM */
	MESSAGE_INPUT_MAX = 1024,
	MESSAGE_PATH = 1024,
	MESSAGE_SECRET = 72,
};

enum message_type {
	MESSAGE_NONE,
#define MSG(name, dir, body, fds, what) MESSAGE_##name,
#include "schemas/messages.def"
#undef MSG
	MESSAGE_COUNT
};

extern const struct wire_table message_table;

/* The kinds of host resource a worker may want. */
enum want_kind {
#define WANT(id, lower, name, warm, what) WANT_##id,
#include "schemas/wants.def"
#undef WANT
	WANT_COUNT
};

struct msg_empty {
	uint64_t unused;
};

struct msg_config {
	char vm[NAME_CAP];
	uint64_t heartbeat_ms;
	uint32_t made;		 /* SANDBOX_*: namespaces that the supervisor made */
	uint32_t uid;		 /* for the worker to become; 0 = stay */
	uint32_t bytes;		 /* of the text */
	uint32_t freezes;	 /* 1 << enum cause_class: whose ends leave the guest standing */
	uint32_t ends_with_link; /* the power is cut when the link closes; 0 = it runs on */
	uint32_t unused;
	char clusters[CPULIST_CLUSTERS]; /* named CPUs of the host; base/cpulist.h */
	char partitions[PARTITION_TEXT]; /* named CPU budgets of the host; base/partition.h */
	char folder[MESSAGE_PATH]; /* relative paths of the text resolve against it; "" = refused */
};

struct msg_invalid {
	uint32_t n_errors, n_warnings;
};

struct msg_want {
	uint32_t index; /* 0, 1, 2 ... in order */
	uint32_t kind;	/* enum want_kind */
	uint64_t bytes; /* of WANT_RAM */
	uint32_t line;	/* of the configuration that asks for it; 0 = always needed */
	uint32_t unused;
	char option[32]; /* "load", "vdev ser8250": who asks */
	char path[MESSAGE_PATH];
};

struct msg_plan {
	uint32_t n_wants, n_vcpus, n_vdevs, n_warnings;
	uint64_t ram_bytes, rom_bytes;
	uint32_t max_priority; /* real-time, of its vCPUs; 0 = none */
	uint32_t unused;
	char partition[PARTITION_NAME]; /* that they are in; "" = none */
};

struct msg_grant {
	uint32_t index, kind; /* of the WANT */
};

struct msg_ready {
	uint32_t sandbox; /* layers that hold: SANDBOX_* */
	uint32_t unused;
};

struct msg_hold {
	uint64_t serial; /* 1, 2, 3 ... of this worker */
};

/* How far a worker is, for a supervisor that has not seen it. */
enum adopted_stage { ADOPTED_READY, ADOPTED_ENTERS, ADOPTED_RUNS, ADOPTED_STAGES };

struct msg_adopted {
	uint32_t stage; /* enum adopted_stage */
	uint32_t unused;
};

struct msg_cut {
	uint32_t cause; /* enum cause */
	uint32_t unused;
};

struct msg_input {
	uint32_t n;
	uint8_t bytes[MESSAGE_INPUT_MAX];
};

struct msg_ended {
	uint32_t cause;	    /* enum cause */
	uint32_t exit_code; /* the status the worker exits with */
	char detail[96];
	struct err err; /* code ERR_OK when there is none */
};

/* Answers of an opener, one an item, in order. */
struct msg_opened {
	uint32_t index;
	uint32_t unused;
	uint64_t bytes;	  /* of a regular file or block device; else 0 */
	int64_t mtime_ns; /* its last change, wall time */
	uint64_t device;  /* that it lies on: daemon/worker/blockdev.h */
};

struct msg_judged {
	uint32_t index;
	uint32_t unused;
	struct err err; /* code ERR_OK when it is sound */
};

/* Who asks, as the API has established it, for the operation row and the audit. */
struct msg_caller {
	uint32_t uid, gid, pid;
	uint32_t role;		 /* enum role of schemas/op.h */
	char identity[NAME_CAP]; /* of a token or certificate; "" = the uid, by the unix socket */
};

/* Whom a token or certificate lets in; its name travels as the name of the call. */
struct msg_token {
	uint32_t role, is_certificate;
	int64_t lives_s;    /* 0 = for ever */
	char vms[NAME_CAP]; /* pattern; "" = all VMs and the host */
};

struct msg_call {
	uint32_t op; /* enum op_id of schemas/op.h */
	uint32_t n_input;
	int64_t if_match; /* revision; -1 = any, 0 = only if it does not exist */
	int64_t revision; /* of vm_rollback: the kept one */
	struct msg_caller caller;
	uint64_t
		policy_fields; /* bits of schemas/policy.h: which of `policy` are meant; the others stay */
	struct policy policy;
	char vm[NAME_CAP];	  /* or another thing's name; "" when the operation is about none */
	char dump[DUMPFILE_NAME]; /* of dump_get and dump_delete */
	struct msg_token token;	  /* of token_create */
	char folder[MESSAGE_PATH]; /* of a configuration, absolute; "" = its paths are absolute */
	uint8_t input[MESSAGE_INPUT_MAX]; /* console bytes of vm_type */
};

struct msg_answer {
	uint64_t operation; /* id to follow; 0 = done */
	int64_t revision;   /* of the VM after the call; 0 = none */
	uint32_t created;
	uint32_t n_findings_more;    /* findings that did not fit DIAGNOSTIC_MOST */
	struct msg_plan plan;	     /* of a check that passed */
	struct err err;		     /* code ERR_OK: it succeeded */
	char secret[MESSAGE_SECRET]; /* of a new token; "" = none */
};

/* One dump of a VM, as it lies on the disk. */
struct msg_dump {
	char name[DUMPFILE_NAME], folder[MESSAGE_PATH];
	uint64_t bytes, disk_bytes; /* with its holes, and without */
	int64_t at_ms;		    /* last written to; wall */
	uint64_t is_unfinished;	    /* being written at this moment */
	uint64_t needed_bytes;	    /* of an unfinished one: of disk_bytes at its end, about */
	char tag[DUMPFILE_TAG];
};

struct msg_store_changed {
	int64_t last_event;
};

struct msg_host_state {
	uint32_t is_safe, pad;
	int64_t since_ms; /* wall */
	char reason[32];  /* id of ground.def */
	char what[128];	  /* the same for people */
	char mend[160];	  /* what to do */
};

struct msg_box {
	char vm[NAME_CAP];
	uint64_t generation; /* counts the workers of this VM */
};

struct msg_box_gone {
	char vm[NAME_CAP];
};

_Static_assert(sizeof(struct msg_call) <= WIRE_BODY && sizeof(struct msg_answer) <= WIRE_BODY &&
		       sizeof(struct msg_want) <= WIRE_BODY &&
		       sizeof(struct msg_ended) <= WIRE_BODY,
	       "a message is one datagram");

/* Of all messages between supervisor and worker, their numbers and sizes: two builds that have it in
 * common understand each other. */
uint64_t message_fingerprint(void);
/* An input or want from a peer: bounds and terminators; ERR_PROTOCOL names the field. */
int message_check_want(const struct msg_want *w, uint32_t expected_index, struct err *e);
int message_check_plan(const struct msg_plan *p, uint32_t n_wants, struct err *e);
/* Of a want that was checked: how a standby that is held ready may have it. */
enum want_warm { WANT_WARM_FREE, WANT_WARM_LATE, WANT_WARM_ONCE };
enum want_warm want_warm(const struct msg_want *w);
const char *want_kind_id(uint32_t kind); /* "image"; "?" when unknown */
