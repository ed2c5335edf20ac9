/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostmem.h - memory of the host by its physical address, for a guest: registers of a device, or what the
 * kernel was told to leave alone. Supervisor (in an opener), lone worker: they judge and open.
 *
 * A descriptor of /dev/mem reaches more than the range. Who gets it maps the range as its first deed and
 * closes it; the mapping can be neither widened nor doubled (VM_PFNMAP, VM_DONTEXPAND). It is uncached
 * (O_SYNC). An open file description lock on the bytes of the range in /dev/mem says who owns it: it
 * lives as long as the mapping does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Whole pages, below the end of what processors address. */
struct hostmem {
	uint64_t base, bytes;
};

enum { HOSTMEM_PATH = 64, HOSTMEM_PAGE = 4096 };
#define HOSTMEM_END  (UINT64_C(1) << 52)
#define HOSTMEM_FORM "0xfe000000,0x1000: where it begins and its length, both in whole pages of 4K"

/* The path of a WANT_MEM or WANT_MEM_READ. */
void hostmem_path(const struct hostmem *h, char ret[static HOSTMEM_PATH]);
/* The range of such a path, which may be a hostile one; false when it is none. */
bool hostmem_of(const char *path, struct hostmem *ret);
/* "0xfe000000,0x1000", as people write it. */
int hostmem_read(const char *whole, struct hostmem *ret, struct err *e);
bool hostmem_is_within(const struct hostmem *h, const struct hostmem *outer);
bool hostmem_overlaps(const struct hostmem *a, const struct hostmem *b);

/* Is it no RAM that the host uses? ERR_RESOURCE names the clash. `iomem`: a descriptor of /proc/iomem
 * that a process with CAP_SYS_ADMIN has opened, for others read no addresses in it. */
int hostmem_judge(const struct hostmem *h, int iomem, struct err *e);
/* The same, and has the host a /dev/mem? */
int hostmem_probe(const struct hostmem *h, int iomem, struct err *e);
/* The same, then /dev/mem, with the range claimed and a mapping of it tried. Needs CAP_SYS_RAWIO. */
int hostmem_open(const struct hostmem *h, bool is_writer, int iomem, int *ret_fd, struct err *e);
