/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h - what a process can no longer do. Workers (vmm/) and qvm-api (api/) close it behind
 * themselves, layer on layer; there is no light mode. A layer that the kernel lacks is missing from
 * the returned set, never passed over in silence: whoever calls reports it.
 *
 * Order: namespaces, empty root, limits, uid, capabilities, no_new_privs, MDWE, Landlock; then the
 * caller loads its seccomp filters with sandbox_filter().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* One bit a layer; the names for people come from sandbox_layer_name(). */
enum sandbox_layer {
	SANDBOX_USER_NS = 1 << 0,
	SANDBOX_MOUNT_NS = 1 << 1,
	SANDBOX_PID_NS = 1 << 2,
	SANDBOX_NET_NS = 1 << 3,
	SANDBOX_IPC_NS = 1 << 4,
	SANDBOX_UTS_NS = 1 << 5,
	SANDBOX_CGROUP_NS = 1 << 6,
	SANDBOX_EMPTY_ROOT = 1 << 7,
	SANDBOX_LIMITS = 1 << 8,
	SANDBOX_OWN_UID = 1 << 9,
	SANDBOX_NO_CAPS = 1 << 10,
	SANDBOX_NO_NEW_PRIVS = 1 << 11,
	SANDBOX_NO_EXEC_MEMORY = 1 << 12, /* PR_SET_MDWE, Linux 6.3 */
	SANDBOX_LANDLOCK = 1 << 13,
	SANDBOX_SECCOMP = 1 << 14,
	SANDBOX_ALL = (1 << 15) - 1,
};

struct sandbox_spec {
	uint32_t made; /* namespaces that the parent already made at clone3 */
	uid_t uid;     /* to become, when root; 0 = stay */
	gid_t gid;
	unsigned max_fds;     /* RLIMIT_NOFILE */
	unsigned max_threads; /* RLIMIT_NPROC of its own uid; 0 = leave */
	const char *
		keep_dir; /* one folder to see read-only as /state in the empty root; NULL = none */
};

/* Close every layer but seccomp. *ret_layers = what holds now. Fails only if a layer that this
 * kernel has could not be closed. Call before any thread is made. */
int sandbox_enter(const struct sandbox_spec *s, uint32_t *ret_layers, struct err *e);

/* For a helper that must stay who it is and where it is: of its capabilities only those of the mask
 * (1 << CAP_*), no_new_privs, no core, none but the kernel looks into it. */
int sandbox_narrow(uint64_t capabilities, struct err *e);

/* One permitted system call; `arg` >= 0 restricts argument number arg to exactly `value`. */
struct sandbox_allow {
	int nr; /* SYS_*; -1 ends a list */
	int arg;
	uint64_t value;
};
#define SANDBOX_CALL(name)                                                                         \
	{                                                                                          \
		SYS_##name, -1, 0                                                                  \
	}
/* Only with that argument (counted from 0). */
#define SANDBOX_ARG(name, arg, value)                                                              \
	{                                                                                          \
		SYS_##name, (arg), (value)                                                         \
	}
#define SANDBOX_IOCTL(request)                                                                     \
	{                                                                                          \
		SYS_ioctl, 1, (request)                                                            \
	}
#define SANDBOX_END                                                                                \
	{                                                                                          \
		-1, -1, 0                                                                          \
	}

/*
 * Load a seccomp filter over all threads: what no list permits raises SIGSYS (SECCOMP_RET_TRAP), so
 * a handler can write down the number; without a handler the process dies. Filters stack: a
 * second one can only take away.
 */
int sandbox_filter(const struct sandbox_allow *const *lists, unsigned n_lists, struct err *e);

/* "user-namespace"; NULL beyond the last. */
const char *sandbox_layer_name(unsigned bit);
/* The missing layers as "a, b"; "" when complete. */
const char *sandbox_missing(uint32_t layers, char *ret, size_t cap);
