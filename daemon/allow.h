/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allow.h - the devices, memory and ports of the host that qvmd.conf gives to guests, line by line. Part of
 * config.h; what is asked for is judged where it is opened (worker/).
 */
#pragma once

#include "base/err.h"
#include "daemon/config.h"

/* Is there room for one beside n? ERR_INVALID names the key. */
int allow_one_more(unsigned n, const char *key, struct err *e);
/* One more of each kind, as the file writes it. */
int allow_tap(struct config *c, const char *value, struct err *e);
int allow_pci(struct config *c, const char *value, struct err *e);
int allow_uio(struct config *c, const char *value, struct err *e);
int allow_memory(struct config *c, const char *value, struct err *e);
int allow_ports(struct config *c, const char *value, struct err *e);
/* The ports of a VM; how many there are. */
unsigned allow_ports_of(const struct config *c, const char *vm,
			struct hostports ret[static CONFIG_ALLOWS]);
