/* SPDX-License-Identifier: Apache-2.0 */
/* finding.h - diagnostics, wants and plans of a configuration as JSON. qvm-api. */
#pragma once

#include <jansson.h>

#include "schemas/diagnostic.h"
#include "schemas/message.h"

json_t *finding_make(const struct diagnostic *d);
json_t *finding_want(const struct msg_want *w);
json_t *finding_plan(const struct msg_plan *p, json_t *take_wants);
