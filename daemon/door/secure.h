/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure.h - the TCP side of the API's door: the listening socket and the files of its TLS. They are
 * opened here, where the host's rights are, and handed to each qvm-api; SIGHUP reads the files anew,
 * and streams that are open go on. Supervisor; part of struct daemon.
 */
#pragma once

#include "base/err.h"

struct daemon;

enum secure_file { SECURE_CERTIFICATE, SECURE_KEY, SECURE_CLIENT_CA, SECURE_FILES };

struct secure {
	int listener;		/* -1 = the API is on the unix socket alone */
	int file[SECURE_FILES]; /* sealed memfds of PEM; that of the client CA may be empty */
};

/* As the settings say; without `listen` there is none. */
int secure_open(struct daemon *d, struct err *e);
/* Hand it to the API process that is there now. */
void secure_send(struct daemon *d);
/* Read the files again and send them; on an error the present ones stay. */
int secure_reload(struct daemon *d, struct err *e);
void secure_close(struct secure *s);
