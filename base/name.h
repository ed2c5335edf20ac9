/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name.h - the name of a VM: [a-z0-9][a-z0-9._-]{0,62}. Every process checks it at its own door.
 */
#pragma once

#include <stdbool.h>

enum { NAME_CAP = 64 };

#define NAME_PATTERN "[a-z0-9][a-z0-9._-]{0,62}"

bool name_is_valid(const char *s);
