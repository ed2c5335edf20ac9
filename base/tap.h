/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap.h - a TAP interface of the host as a guest's network. Supervisor, lone worker.
 *
 * The interface is the host's: it must exist and persist (`ip tuntap add`), so that its addresses,
 * bridge and firewall rules outlive every guest; none is ever made here.
 */
#pragma once

#include "base/err.h"

/* The path of a WANT_TAP is this and the interface's name. */
#define TAP_WANT "/dev/net/tun:"

enum { TAP_HEADER = 12 }; /* bytes of struct virtio_net_hdr_v1 before every frame */

/* The interface's name of such a path, or NULL when it is none. */
const char *tap_name(const char *path);
/* It is there and might be opened; nothing is opened. */
int tap_probe(const char *name, struct err *e);
/* One frame a read or write, a header of TAP_HEADER bytes before it, no offloads yet; never waits.
 * ERR_RESOURCE says what to do. The caller owns *ret_fd. */
int tap_open(const char *name, int *ret_fd, struct err *e);
