/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zeropage.h - Linux's boot_params (Documentation/arch/x86/zero-page.rst), which its 32-bit and 64-bit
 * boot protocols share. Worker; assembly only.
 */
#pragma once

#include "base/err.h"

struct image_guest;

/* kernel_state is a struct boot_params whose header is filled: add memory map, ramdisk, RSDP and
 * command line, write it into guest memory and point entry.rsi to it. */
int zeropage_finish(struct image_guest *g, struct err *e);
