/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial.h - the connections to the host that guests ask for (virtio-vsock), made on behalf of their
 * workers (base/dialer.h). Supervisor; part of struct daemon.
 *
 * A link lives as long as its worker keeps the other end. Each is served a bounded number of times a
 * second; what is beyond waits in the link, whose queue is the worker's own.
 */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"

struct dial;

struct dial_set {
	sd_event *loop;
	struct dial *first;
};

/* A new link to sockets PREFIX_PORT in the folder, which is taken; the worker's end in *ret_fd. */
int dial_open(struct dial_set *s, int take_folder_fd, const char *prefix, int *ret_fd,
	      struct err *e);
void dial_clear(struct dial_set *s);
