/* SPDX-License-Identifier: Apache-2.0 */
/* usage.h - what the host has and what VMs take of it. qvm-api. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"

struct api;

/* Processor time of a process by the kernel's account; -1 where it does not tell. */
int64_t usage_cpu_ms(int64_t pid);
/* The resource `capacity`. */
int usage_capacity(struct api *api, json_t **ret, struct err *e);
