/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aml.h - writes ACPI machine language (ACPI 6.4, chapter 20) and resource descriptors (6.4). Worker;
 * assembly only.
 *
 * Blocks are opened and closed like brackets; the length is filled in when they close. Everything
 * comes from the board, which is bounded: aborts when the buffer would overflow.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { AML_BYTES = 8 * 1024, AML_DEPTH = 8 };

struct aml {
	size_t n;
	size_t open[AML_DEPTH]; /* where the contents of each open block begin */
	unsigned depth;
	uint8_t code[AML_BYTES];
};

/* Path: "\\_SB" or one segment of 4 characters. */
void aml_scope(struct aml *a, const char *path);
void aml_device(struct aml *a, const char *path);
void aml_package(struct aml *a, uint8_t elements);
/* A buffer that holds resource descriptors; its end tag is written when it closes. */
void aml_resources(struct aml *a);
void aml_close(struct aml *a); /* the block opened last */
void aml_close_resources(struct aml *a);

void aml_name(struct aml *a, const char *path); /* the object follows */
void aml_number(struct aml *a, uint32_t value); /* in its shortest form */
void aml_eisa(struct aml *a, const char *id);	/* "PNP0A03" */
void aml_string(struct aml *a, const char *text);

/* What the device takes for itself. */
void aml_take_ports(struct aml *a, uint16_t base, uint8_t count);
void aml_take_memory(struct aml *a, uint32_t base, uint32_t bytes);
void aml_take_memory_64(struct aml *a, uint64_t base, uint64_t bytes);
void aml_take_line(struct aml *a, uint32_t line); /* level, active high, exclusive */
/* What the bridge passes on to those behind it. */
void aml_pass_buses(struct aml *a, uint16_t first, uint16_t last);
void aml_pass_memory(struct aml *a, uint32_t base, uint32_t bytes);
