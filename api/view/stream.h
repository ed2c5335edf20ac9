/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h - events as NDJSON or server-sent events, from a sequence number with nothing missed.
 * qvm-api.
 *
 * A stream reads the database at the pace of its client, a batch at a time; it keeps no more than
 * that batch. At the end of the table it sleeps until the store has news; what those who follow
 * everything are told then is read and written as JSON once for all.
 */
#pragma once

struct api;
struct streams;

struct streams *streams_new(struct api *api);
void streams_free(struct streams *s);
/* The store has news. */
void stream_wake(struct streams *s);
