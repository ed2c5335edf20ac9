/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h - events as NDJSON or server-sent events, from a sequence number with nothing missed.
 * qvm-api.
 *
 * A stream reads the database at the pace of its client, a batch at a time; it keeps no more than
 * that batch. At the end of the table it sleeps until the store has news.
 */
#pragma once

struct streams;

struct streams *streams_new(void);
void streams_free(struct streams *s);
/* The store has news, or all streams shall end. */
void stream_wake(struct streams *s);
