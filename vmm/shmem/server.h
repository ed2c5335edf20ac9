/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h - the process that keeps the regions of shared memory (`qvm --shmem`): one for each
 * supervisor's run directory, one for all lone workers of a user. Its own process, which does nothing
 * else and has a sandbox of its own.
 *
 * Workers talk to it by connections that somebody else has made for them (base/shmem.h). It ends with the
 * last one; the supervisor keeps one for itself, and is outlived by it as long as workers run.
 */
#pragma once

#include "vmm/shmem/registry.h"

struct sandbox_spec;

enum { SHMEM_SERVER_FD = 3 }; /* of `qvm --shmem` */
enum { SHMEM_SERVER_LINKS = 2048, SHMEM_SERVER_FDS = SHMEM_SERVER_LINKS + REGISTRY_REGIONS + 16 };

/* Serve until nobody is connected, from those on who wait in the listener already; the exit status. */
int shmem_server_serve(int listener, const struct sandbox_spec *sandbox);
/* `qvm --shmem UID`, as which it runs if it is root. */
int shmem_server_run(const char *uid);
