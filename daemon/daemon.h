/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.h - the supervisor as a whole: the one struct, its setting up and its ordered end.
 * qvmd; the only instance lives in main.c.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "daemon/worker/cgroup.h"
#include "daemon/worker/check.h"
#include "daemon/worker/dial.h"
#include "daemon/worker/opener.h"
#include "daemon/worker/peer.h"
#include "daemon/worker/scope.h"
#include "daemon/worker/shmem.h"
#include "daemon/config.h"
#include "daemon/hook.h"
#include "daemon/keep/keep.h"
#include "daemon/door/dumps.h"
#include "daemon/door/frontdoor.h"
#include "daemon/host.h"
#include "daemon/hostsafe.h"
#include "daemon/store/ledger.h"
#include "daemon/door/secure.h"
#include "daemon/door/server.h"
#include "daemon/store/store.h"
#include "daemon/vm/vm.h"
#include "daemon/vm/watch.h"

struct daemon {
	struct config config;
	sd_event *loop;
	int state_lock, run_lock; /* held for the life of the process */
	struct cgroup cgroup;
	struct scopes scopes;
	struct store store;
	struct ledger ledger;
	char boot[HOST_BOOT]; /* which boot of the host this is */
	struct vm_set vms;
	struct check_set checks;
	struct dumps_set dumps;
	struct keep keep;
	struct peer_set peers;
	struct dial_set dials;
	struct shmem shmem;
	struct opener_set openers;
	struct watch watch;
	struct hook_set hooks;
	struct server server;
	struct secure secure;
	struct frontdoor door;
	struct hostsafe hostsafe;
	sd_event_source *stopper; /* timer of the ordered end */
	unsigned stop_stage;
	bool is_ending, is_leaving; /* leaving: the VMs run on */
	bool is_recovered; /* every VM is known for what it is: starts in order may begin */
};

/* From settings to a loop that is ready to run. On failure what was opened is closed again. */
int daemon_open(struct daemon *d, struct err *e);
int daemon_run(struct daemon *d, struct err *e);
void daemon_close(struct daemon *d);
/* While it ends: is everything gone that the end waits for? */
void daemon_check_end(struct daemon *d);
