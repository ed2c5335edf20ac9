/* SPDX-License-Identifier: Apache-2.0 */
/* layers.h - a set of sandbox layers as JSON: those that hold and those that are missing. qvm-api. */
#pragma once

#include <jansson.h>
#include <stdint.h>

json_t *layers_make(uint32_t layers);
