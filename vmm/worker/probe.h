/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.h - what a dry run asks of the host: whether a start would get what the board names. Nothing
 * is made, locked or changed, and no other end hears of it. Worker, when it runs alone.
 */
#pragma once

#include "vmm/conf/conf.h"

/* For conf_source; with the rights of whoever runs it. */
extern const struct conf_probe probe_host;
