/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostports.h - I/O ports of the host for a guest, by their numbers. Who starts a worker has the kernel
 * open them for it (ioperm(2), which lasts over fork and exec and opens no others); the worker reaches
 * them by in and out. No descriptor is in it.
 *
 * That they have one owner is a lock on their bytes of a file that root alone can open, HOSTPORTS_LOCK:
 * the worker holds its description. It is a FIFO, for a worker could fill a file's disk.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct hostports {
	uint32_t base, n; /* below HOSTPORTS_END */
};

#define HOSTPORTS_LOCK "/run/qvm-ports"
#define HOSTPORTS_FORM "0x378,8: the first port, and how many there are"
enum { HOSTPORTS_END = 0x10000, HOSTPORTS_PATH = 48 };

/* The path of a WANT_PORTS. */
void hostports_path(const struct hostports *p, char ret[static HOSTPORTS_PATH]);
/* The ports of such a path, which may be a hostile one; false when it is none. */
bool hostports_of(const char *path, struct hostports *ret);
/* "0x378,8", as people write it; it ends at a blank or the end of the text, *ret_rest. */
int hostports_read(const char *whole, struct hostports *ret, const char **ret_rest, struct err *e);
bool hostports_are_within(const struct hostports *p, const struct hostports *outer);
bool hostports_overlap(const struct hostports *a, const struct hostports *b);

/* Open them for this thread and what it starts, or close them again. Needs CAP_SYS_RAWIO. */
int hostports_permit(const struct hostports *p, bool is_open, struct err *e);
/* For one VM; ERR_RESOURCE when another has some of them. The owner has *ret_fd open. */
int hostports_claim(const struct hostports *p, int *ret_fd, struct err *e);
/* Only where they are open: else the process ends. Of 1, 2 or 4 bytes. */
uint32_t hostports_in(uint16_t port, unsigned width);
void hostports_out(uint16_t port, unsigned width, uint32_t value);
