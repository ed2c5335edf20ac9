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
struct keep;
struct recall;

struct dial_set {
	sd_event *loop;
	struct dial *first;
	uint64_t last_id;
	struct keep *keep; /* NULL = they end with this process */
};

/* A new link to sockets PREFIX_PORT in the folder, which is taken; the worker's end in *ret_fd. */
int dial_open(struct dial_set *s, int take_folder_fd, const char *prefix, int *ret_fd,
	      struct err *e);
/* Give all to the keeper; take back what an earlier supervisor gave it. */
void dial_keep(const struct dial_set *s);
void dial_recall(struct dial_set *s, struct recall *r);
void dial_clear(struct dial_set *s);
