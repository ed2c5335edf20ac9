/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acpi_extra.h - ACPI tables of the user's (`acpi load`), which the XSDT names beside the board's own.
 * Worker; assembly only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { ACPI_EXTRAS = 16, ACPI_EXTRA_BYTES = 1024 * 1024 };

struct acpi_extra {
	uint8_t *bytes; /* owned */
	size_t n;
	uint64_t gpa; /* where it lies already; 0 = among the other tables */
};

struct acpi_extras {
	struct acpi_extra extra[ACPI_EXTRAS];
	unsigned n;
};

/* Hostile bytes: a whole table by its header (ACPI 6.4, 5.2.6), checksum right, and none of those that
 * qvm makes itself. ERR_START with the reason; `path` is for the text. */
int acpi_extra_check(const uint8_t *bytes, size_t n, const char *path, struct err *e);
/* Add one; a refused one is not taken. */
int acpi_extra_add(struct acpi_extras *x, const struct acpi_extra *take, const char *path,
		   struct err *e);
/* Bytes that those without a place of their own take behind `at`, each 64-byte aligned. */
size_t acpi_extra_end(const struct acpi_extras *x, size_t at);
/* Write them there, in the area whose guest memory is `host` at gpa, and their addresses to `ret`. */
void acpi_extra_write(const struct acpi_extras *x, size_t at, uint64_t gpa, uint8_t *host,
		      uint64_t *ret);
void acpi_extra_free(struct acpi_extras *x);
