/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/acpi_extra.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

enum { HEADER = 36, LENGTH_AT = 4, SIGNATURE = 4 }; /* 5.2.6 */

static size_t align(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

static bool is_own(const uint8_t *signature)
{
	static const char *const own[] = {"RSD ", "RSDT", "XSDT", "FACP", "FACS",
					  "DSDT", "APIC", "MCFG", "HPET"};

	for (size_t i = 0; i < NELEMS(own); i++)
		if (!memcmp(signature, own[i], SIGNATURE))
			return true;
	return false;
}

int acpi_extra_check(const uint8_t *bytes, size_t n, const char *path, struct err *e)
{
	uint32_t length = 0;
	uint8_t sum = 0;

	if (n < HEADER || n > ACPI_EXTRA_BYTES)
		return err_set(
			e, START,
			"'%s' has %zu bytes: an ACPI table has from %d to %d, its header first",
			path, n, HEADER, ACPI_EXTRA_BYTES);
	for (int i = 0; i < SIGNATURE; i++)
		if (!isupper(bytes[i]) && !isdigit(bytes[i]) && bytes[i] != '_')
			return err_set(e, START,
				       "'%s' is no ACPI table: its first four bytes are no "
				       "signature; compile a source by iasl",
				       path);
	memcpy(&length, bytes + LENGTH_AT, sizeof length);
	if (length != n)
		return err_set(e, START,
			       "'%s': its header says %u bytes, the file has %zu: load one table a "
			       "file, whole",
			       path, length, n);
	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + bytes[i]);
	if (sum)
		return err_set(
			e, START,
			"'%s': its checksum is wrong by 0x%02x: the table is damaged, or was "
			"changed by hand; compile it anew by iasl",
			path, sum);
	if (is_own(bytes))
		return err_set(
			e, START,
			"'%s' is a table %.4s, which qvm makes from the board itself: put what "
			"is to be added into an SSDT",
			path, (const char *)bytes);
	return 0;
}

int acpi_extra_add(struct acpi_extras *x, const struct acpi_extra *take, const char *path,
		   struct err *e)
{
	if (acpi_extra_check(take->bytes, take->n, path, e) < 0)
		return -1;
	if (x->n == ACPI_EXTRAS)
		return err_set(e, START, "'%s' is one `acpi load` more than %d: join some SSDTs",
			       path, ACPI_EXTRAS);
	x->extra[x->n++] = *take;
	return 0;
}

size_t acpi_extra_end(const struct acpi_extras *x, size_t at)
{
	for (unsigned i = 0; i < x->n; i++)
		if (!x->extra[i].gpa)
			at = align(at) + x->extra[i].n;
	return at;
}

void acpi_extra_write(const struct acpi_extras *x, size_t at, uint64_t gpa, uint8_t *host,
		      uint64_t *ret)
{
	for (unsigned i = 0; i < x->n; i++) {
		const struct acpi_extra *t = &x->extra[i];

		ret[i] = t->gpa;
		if (t->gpa)
			continue;
		at = align(at);
		memcpy(host + at, t->bytes, t->n);
		ret[i] = gpa + at;
		at += t->n;
	}
}

void acpi_extra_free(struct acpi_extras *x)
{
	for (unsigned i = 0; i < x->n; i++)
		free(x->extra[i].bytes);
	x->n = 0;
}
