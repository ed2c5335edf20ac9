/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ticker.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

enum { TICKER_ACCURACY_US = 1000 };

sd_event_source *ticker_new(sd_event *loop, sd_event_time_handler_t fn, void *arg)
{
	sd_event_source *t = NULL;

	if (sd_event_add_time(loop, &t, CLOCK_MONOTONIC, 0, TICKER_ACCURACY_US, fn, arg) < 0 ||
	    sd_event_source_set_enabled(t, SD_EVENT_OFF) < 0)
		abort();
	return t;
}

void ticker_next(sd_event_source *t, unsigned in_ms)
{
	sd_event_source_set_time(t, (clock_mono_ms() + in_ms) * 1000);
	sd_event_source_set_enabled(t, SD_EVENT_ONESHOT);
}
