/* SPDX-License-Identifier: Apache-2.0 */
/* kvm.h - what this host's KVM offers, asked once at the start, for GET /v1/host. Supervisor. */
#pragma once

#include "base/err.h"

struct daemon;

/* Facts "kvm:NAME" by schemas/kvm.def and "parameter:MODULE.NAME"; none without a KVM. In the caller's
 * transaction. */
int kvm_note(struct daemon *d, struct err *e);
