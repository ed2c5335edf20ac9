/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frontdoor.h - the link to qvm-api: CALLs come in, answers, news and black boxes go out.
 * Supervisor; part of struct daemon. The process behind it is server.c's.
 *
 * What the link does not take at once waits here, up to a bound and a time; an API process that
 * does not read is ended and started again, and the supervisor goes on meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/digest.h"
#include "base/name.h"

struct daemon;
struct vm;
struct frontdoor_letter;

enum { FRONTDOOR_TYPED = 256 };

struct frontdoor {
	int link;	/* -1 = nobody is there */
	uint64_t visit; /* counts the API processes */
	sd_event_source *source, *news, *patience, *pulse;
	struct frontdoor_letter *first, *last; /* waiting to be sent */
	unsigned n_waiting;
	bool is_ready; /* API_READY came */
	bool is_news_due;
	bool is_asked; /* PING was sent and not answered */
	struct {       /* at a console last, for the audit */
		uint32_t uid;
		uint64_t at_ms;
		char vm[NAME_CAP];
	} typist;
	struct { /* the last requests to type, so that one sent again types once */
		struct {
			uint64_t request;
			char asks[DIGEST_HEX];
		} by[FRONTDOOR_TYPED];
		unsigned n;
	} typed;
};

/* A new API process is at the other end; the link is taken. */
void frontdoor_open(struct daemon *d, int take_link);
void frontdoor_close(struct daemon *d);
/* A part of the answer to a call, unless the process that asked has gone. */
void frontdoor_answer(struct daemon *d, uint64_t visit, unsigned type, uint64_t request,
		      const void *body);
/* What the answer to come is about; the descriptor is borrowed. */
void frontdoor_file(struct daemon *d, uint64_t visit, uint64_t request, int fd);
/* state.db has news: told once per round of the loop. */
void frontdoor_changed(struct daemon *d);
/* The host has entered or left its safe state. */
void frontdoor_host(struct daemon *d);
/* The TLS side, before anything else is said to a new API process. */
void frontdoor_secure(struct daemon *d, const int *fd, unsigned n_fds);
void frontdoor_box(struct daemon *d, const struct vm *v);
void frontdoor_box_gone(struct daemon *d, const char *vm);
