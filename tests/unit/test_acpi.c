/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/acpi.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"
#include "vmm/conf/board.h"
#include "vmm/vdev/vdev.h"
#include "vmm/x86/acpi_extra.h"

static const struct vdev_class classes[] = {
	{.name = "ioapic", .region = {{0xfec00000, 0x100}}, .intr = -1},
	{.name = "pm", .space = VDEV_IO, .region = {{0x600, 4}, {0x604, 2}, {0x608, 4}}, .intr = 9},
	{.name = "mc146818", .space = VDEV_IO, .region = {{0x70, 2}}, .intr = 8},
	{.name = "pci-host",
	 .region = {{0xe0000000, 0x100000}, {0xe8000000, 0x8000000}, {0xcf8, 8}},
	 .intr = -1},
	{.name = "pci-dummy", .is_pci = true, .intr = -1},
};

static uint32_t word(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static void check_sum(const uint8_t *p, size_t n)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + p[i]);
	assert_int_equal(sum, 0);
}

/* The board's tables at 0x9c000 of a guest that starts at `base`; the caller frees. */
static uint8_t *build_with(unsigned n_cpus, unsigned n_vdevs, const struct acpi_extras *x)
{
	struct vdev *vdev[5];
	struct board b = {.n_cpus = n_cpus, .vdev = vdev, .n_vdevs = n_vdevs};
	uint8_t *host;

	for (unsigned i = 0; i < n_vdevs; i++)
		vdev[i] = vdev_new(&classes[i], 1);
	if (n_vdevs == 5)
		vdev[4]->slot = 1 << 3;
	/* Exactly as many bytes as promised: the sanitizer sees one too many. */
	host = malloc(acpi_bytes(&b, x));
	assert_non_null(host);
	acpi_write(&b, x, 0x9c000, host);
	for (unsigned i = 0; i < n_vdevs; i++)
		vdev_free(vdev[i]);
	return host;
}

static uint8_t *build(unsigned n_cpus, unsigned n_vdevs)
{
	static const struct acpi_extras none;

	return build_with(n_cpus, n_vdevs, &none);
}

static const uint8_t *table(const uint8_t *host, const char *signature)
{
	const uint8_t *xsdt = host + word(host + 24) - 0x9c000;

	check_sum(xsdt, word(xsdt + 4));
	for (uint32_t at = 36; at < word(xsdt + 4); at += 8) {
		const uint8_t *t = host + word(xsdt + at) - 0x9c000;

		if (!memcmp(t, signature, 4)) {
			check_sum(t, word(t + 4));
			return t;
		}
	}
	fail_msg("no %s", signature);
	return NULL;
}

TEST(acpi_tables_are_found_from_the_rsdp_and_sum_to_zero)
{
	uint8_t *host = build(1, 3);
	const uint8_t *fadt, *dsdt;

	assert_memory_equal(host, "RSD PTR ", 8);
	check_sum(host, 20);
	check_sum(host, ACPI_RSDP_BYTES);
	fadt = table(host, "FACP");
	assert_int_equal(word(fadt + 56), 0x600); /* PM1a_EVT_BLK */
	assert_int_equal(word(fadt + 64), 0x604); /* PM1a_CNT_BLK */
	assert_int_equal(word(fadt + 76), 0x608); /* PM_TMR_BLK */
	dsdt = host + word(fadt + 40) - 0x9c000;
	assert_memory_equal(dsdt, "DSDT", 4);
	check_sum(dsdt, word(dsdt + 4));
	assert_memory_equal(host + word(fadt + 36) - 0x9c000, "FACS", 4);
	free(host);
}

enum { PM, RESET, KEYBOARD, CLOCK, N_FIXED };
enum { BOOT_8042 = 1 << 1, BOOT_NO_RTC = 1 << 5 };

/* The FADT of a board with these four; the caller frees *ret_host. */
static const uint8_t *fixed_fadt(struct vdev *const vdev[static N_FIXED], uint8_t **ret_host)
{
	static const struct acpi_extras none;
	struct board b = {.n_cpus = 1, .vdev = (struct vdev **)vdev, .n_vdevs = N_FIXED};

	*ret_host = malloc(acpi_bytes(&b, &none));
	assert_non_null(*ret_host);
	acpi_write(&b, &none, 0x9c000, *ret_host);
	return table(*ret_host, "FACP");
}

static void check_address(const uint8_t *at, const char *head, uint32_t base)
{
	assert_memory_equal(at, head, 4); /* space, bits, offset, access */
	assert_int_equal(word(at + 4), base);
}

TEST(acpi_fixed_hardware_is_named_where_its_vdev_is)
{
	static const struct vdev_class moved[] = {
		[PM] = {.name = "pm", .region = {{0x600, 4}, {0x604, 2}, {0x608, 4}}, .intr = 9},
		[RESET] = {.name = "reset", .region = {{0x92, 1}, {0xcf9, 1}}, .intr = -1},
		[KEYBOARD] = {.name = "pckeyboard", .region = {{0x60, 1}, {0x64, 1}}, .intr = 1},
		[CLOCK] = {.name = "mc146818", .region = {{0x70, 2}}, .intr = 8},
	};
	struct vdev *vdev[N_FIXED];
	const uint8_t *fadt;
	uint8_t *host;

	for (unsigned i = 0; i < N_FIXED; i++)
		vdev[i] = vdev_new(&moved[i], 1);
	for (unsigned i = 0; i < N_FIXED; i++)
		for (unsigned r = 0; r < vdev[i]->n_regions; r++)
			vdev[i]->region[r].space = VDEV_IO;
	fadt = fixed_fadt(vdev, &host);
	check_address(fadt + 116, "\x01\x08\x00\x01", 0xcf9); /* RESET_REG */
	assert_int_equal(fadt[109] & (BOOT_8042 | BOOT_NO_RTC), BOOT_8042);
	free(host);

	vdev[PM]->region[0].base = 0x1600;
	vdev[PM]->region[1] = (struct vdev_region){VDEV_MEM, 0xfed20004, 2, false};
	vdev[PM]->region[2] = (struct vdev_region){VDEV_MEM, 0xfed20008, 4, false};
	vdev[PM]->intr = 11;
	vdev[RESET]->region[1].base = 0x1cf9;
	vdev[KEYBOARD]->region[0].base = 0x160;
	vdev[CLOCK]->region[0].base = 0x170;
	fadt = fixed_fadt(vdev, &host);
	assert_int_equal(fadt[46], 11);		   /* SCI_INT */
	assert_int_equal(word(fadt + 56), 0x1600); /* PM1a_EVT_BLK */
	assert_int_equal(word(fadt + 64), 0);	   /* PM1a_CNT_BLK: a port, or nothing */
	assert_int_equal(word(fadt + 76), 0);	   /* PM_TMR_BLK */
	check_address(fadt + 116, "\x01\x08\x00\x01", 0x1cf9);
	check_address(fadt + 148, "\x01\x20\x00\x03", 0x1600);	   /* X_PM1a_EVT_BLK */
	check_address(fadt + 172, "\x00\x10\x00\x02", 0xfed20004); /* X_PM1a_CNT_BLK */
	check_address(fadt + 208, "\x00\x20\x00\x03", 0xfed20008); /* X_PM_TMR_BLK */
	assert_int_equal(fadt[109] & (BOOT_8042 | BOOT_NO_RTC), BOOT_NO_RTC);
	free(host);
	for (unsigned i = 0; i < N_FIXED; i++)
		vdev_free(vdev[i]);
}

static unsigned count(const uint8_t *madt, uint8_t type)
{
	unsigned n = 0;

	for (uint32_t at = 44; at < word(madt + 4); at += madt[at + 1]) {
		assert_true(madt[at + 1] >= 2);
		n += madt[at] == type;
	}
	return n;
}

TEST(acpi_madt_names_every_vcpu_and_only_the_controllers_there_are)
{
	uint8_t *with = build(3, 3), *without = build(1, 0), *many = build(300, 1);

	assert_int_equal(count(table(with, "APIC"), 0), 3);
	assert_int_equal(count(table(with, "APIC"), 1), 1);
	assert_int_equal(count(table(without, "APIC"), 0), 1);
	assert_int_equal(count(table(without, "APIC"), 1), 0);
	assert_int_equal(count(table(many, "APIC"), 0), 255);
	assert_int_equal(count(table(many, "APIC"), 9), 45);
	free(with);
	free(without);
	free(many);
}

static const uint8_t *within(const uint8_t *table, const char *bytes, size_t n)
{
	const uint8_t *at = memmem(table, word(table + 4), bytes, n);

	assert_non_null(at);
	return at;
}

TEST(acpi_names_the_pci_bus_where_there_is_one)
{
	uint8_t *with = build(1, 5), *without = build(1, 3);
	const uint8_t *mcfg = table(with, "MCFG"), *dsdt, *at;

	assert_int_equal(word(mcfg + 4), 60);
	assert_int_equal(word(mcfg + 44), 0xe0000000); /* base of bus 0 */
	assert_int_equal(mcfg[54], 0);
	assert_int_equal(mcfg[55], 0);
	dsdt = with + word(table(with, "FACP") + 40) - 0x9c000;
	check_sum(dsdt, word(dsdt + 4));
	at = within(dsdt, "PCI0\x08_HID\x0c\x41\xd0\x0a\x03", 14); /* EISAID ("PNP0A03") */
	assert_true(at > dsdt);
	/* DWordMemory of the window: first and last address */
	within(dsdt, "\x87\x17\x00\x00\x0c\x01\x00\x00\x00\x00\x00\x00\x00\xe8\xff\xff\xff\xef",
	       18);
	/* INTB of device 1 is line 18 */
	within(dsdt, "\x12\x0b\x04\x0c\xff\xff\x01\x00\x01\x00\x0a\x12", 12);
	dsdt = without + word(table(without, "FACP") + 40) - 0x9c000;
	assert_null(memmem(dsdt, word(dsdt + 4), "PCI0", 4));
	free(with);
	free(without);
}

/* A table of 40 bytes whose checksum is right. */
static uint8_t *extra(const char *signature)
{
	uint8_t *p = calloc(1, 40), sum = 0;

	assert_non_null(p);
	memcpy(p, signature, 4);
	p[4] = 40;
	p[36] = 0x5a;
	for (int i = 0; i < 40; i++)
		sum = (uint8_t)(sum + p[i]);
	p[9] = (uint8_t)-sum;
	return p;
}

TEST(acpi_names_the_users_tables_beside_its_own)
{
	const struct acpi_extra first = {extra("SSDT"), 40, 0}, second = {extra("OEM1"), 40, 0};
	struct acpi_extras x = {0};
	struct err e;
	uint8_t *host;

	assert_int_equal(acpi_extra_add(&x, &first, "a", &e), 0);
	assert_int_equal(acpi_extra_add(&x, &second, "b", &e), 0);
	host = build_with(1, 4, &x);
	assert_int_equal(table(host, "SSDT")[36], 0x5a);
	assert_int_equal(table(host, "OEM1")[36], 0x5a);
	assert_non_null(table(host, "MCFG"));
	acpi_extra_free(&x);
	free(host);
}

TEST(acpi_table_of_the_user_that_is_none_or_qvms_own_is_refused)
{
	struct err e;
	uint8_t *p = extra("SSDT");

	assert_int_equal(acpi_extra_check(p, 40, "t", &e), 0);
	assert_int_equal(acpi_extra_check(p, 35, "t", &e), -1);
	assert_int_equal(acpi_extra_check(p, 39, "t", &e), -1);
	assert_non_null(strstr(e.msg, "header says 40 bytes"));
	p[39]++;
	assert_int_equal(acpi_extra_check(p, 40, "t", &e), -1);
	assert_non_null(strstr(e.msg, "checksum"));
	p[39]--;
	p[0] = 's';
	assert_int_equal(acpi_extra_check(p, 40, "t", &e), -1);
	free(p);
	p = extra("FACP");
	assert_int_equal(acpi_extra_check(p, 40, "t", &e), -1);
	assert_non_null(strstr(e.msg, "SSDT"));
	free(p);
}
