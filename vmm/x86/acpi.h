/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acpi.h - the ACPI tables of a board, by ACPI 6.4 chapter 5.2: RSDP, XSDT, FADT, FACS, MADT, MCFG,
 * HPET and a DSDT (dsdt.h). Worker; assembly only.
 *
 * They name what the board has: the local APICs of its vCPUs, `ioapic`, `8259`, `pm`, `reset`,
 * `pckeyboard`, `mc146818`, `pci-host`, the first `hpet`.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct acpi_extras;
struct board;

enum { ACPI_RSDP_BYTES = 36 };

/* Bytes that the tables of this board take, with those of the user's; the first ACPI_RSDP_BYTES are the RSDP. */
size_t acpi_bytes(const struct board *b, const struct acpi_extras *x);
/* Write them to `host`, which is the guest memory at gpa: 64-byte aligned, below 4 GiB. */
void acpi_write(const struct board *b, const struct acpi_extras *x, uint64_t gpa, uint8_t *host);
