/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/timer.h"

#include <stdlib.h>
#include <time.h>

enum { TIMER_ACCURACY_US = 1000 };

void timer_set(sd_event *loop, sd_event_source **t, uint64_t delay_ms, sd_event_time_handler_t fn,
	       void *arg)
{
	timer_clear(t);
	if (sd_event_add_time_relative(loop, t, CLOCK_MONOTONIC, delay_ms * 1000, TIMER_ACCURACY_US,
				       fn, arg) < 0)
		abort(); /* out of memory: crash-only */
}

void timer_clear(sd_event_source **t)
{
	*t = sd_event_source_disable_unref(*t);
}
