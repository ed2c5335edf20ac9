/* SPDX-License-Identifier: Apache-2.0 */
/*
 * choice.h - which server an invocation means. The first of these that is given counts: -H,
 * --context, QVM_HOST, QVM_CONTEXT, the current context, the system's socket. qvmadm.
 *
 * What a context does not say of token and certificates comes from QVM_TOKEN, QVM_CACERT, QVM_CERT
 * and QVM_KEY.
 */
#pragma once

#include "base/err.h"

struct http;

/* NULL = not given. ERR_USAGE when both are; else as contexts_read() and http_open(). */
int choice_open(const char *host, const char *context, struct http **ret, struct err *e);
