/* SPDX-License-Identifier: Apache-2.0 */
/*
 * register.h - `reg` of the vdevs whose configuration space shows what the configuration says. Worker; while
 * the configuration is read.
 */
#pragma once

#include "base/err.h"

struct pci_function;

/* REG=VALUE, where REG is OFFSET/SIZE or a name of the original like Vendor_ID. ERR_CONFIG. */
int pci_register_set(struct pci_function *f, const char *value, struct err *e);
