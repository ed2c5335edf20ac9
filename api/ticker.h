/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ticker.h - a look that is taken again and again, as long as there is somebody to look for. qvm-api;
 * at rest it costs nothing.
 */
#pragma once

#include <systemd/sd-event.h>

/* At rest. Its fn(arg) is called once for each ticker_next(). */
sd_event_source *ticker_new(sd_event *loop, sd_event_time_handler_t fn, void *arg);
void ticker_next(sd_event_source *t, unsigned in_ms);
