/* SPDX-License-Identifier: Apache-2.0 */
/* incident.h - why a VM failed, as an engineer reads it at three in the morning. qvmadm. */
#pragma once

#include <stdint.h>

#include <jansson.h>

/* The whole report. */
void incident_print(const json_t *incident, int64_t now_ms);
/* One row each, the oldest first. width: as table_print(). */
void incident_print_table(const json_t *incidents, int64_t now_ms, unsigned width);
