/* SPDX-License-Identifier: Apache-2.0 */
/* size.h - bytes for people: "812 B", "24.0 KiB", "1.5 GiB". qvmadm. */
#pragma once

#include <stdint.h>

enum { SIZE_TEXT = 24 };

const char *size_text(uint64_t bytes, char ret[static SIZE_TEXT]);
