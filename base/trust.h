/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust.h - whether a folder or file may hold code that runs with our rights: it belongs to root or to
 * ourselves, and nobody else can write to it. The supervisor, and a lone worker before its sandbox.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* 0 if what fd is open on belongs to root, to us or to `other`, and only its owner may write to it.
 * INVALID with what to do; `path` is for the text. */
int trust_check(int fd, const char *path, uid_t other, struct err *e);
/* A folder that passes trust_check(), opened to read; RESOURCE when it cannot be opened. */
int trust_open_folder(const char *path, struct err *e);
