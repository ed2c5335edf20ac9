/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest sees of a passed-through PCI function: the configuration space made from the real one. */
#include <linux/pci_regs.h>
#include <string.h>

#include "tests/unit/test.h"
#include "vmm/vdev/vdev.h"
#include "vmm/vfio/shadow.h"

static const struct vdev_class class = {.name = "passed", .is_pci = true, .intr = -1};

/* A network card: MSI at 0x50, power management at 0x60, MSI-X of 5 vectors at 0x70 in BAR 3. */
struct real {
	uint8_t config[PCI_CONFIG];
	uint64_t bar_bytes[PCI_BARS];
	struct vfio_shadow shadow;
	struct vdev *vdev;
	struct err e;
};

static void put(struct real *r, unsigned offset, unsigned width, uint32_t value)
{
	for (unsigned i = 0; i < width; i++)
		r->config[offset + i] = (uint8_t)(value >> (8 * i));
}

static void open_real(struct real *r)
{
	*r = (struct real){.bar_bytes = {0x20000, 0x20000, 32, 0x4000},
			   .vdev = vdev_new(&class, 1)};
	put(r, PCI_VENDOR_ID, 4, 0x10d38086);
	put(r, PCI_COMMAND, 2, 0x0507);
	put(r, PCI_STATUS, 2, PCI_STATUS_CAP_LIST);
	put(r, PCI_CLASS_REVISION, 4, 0x02000003);
	put(r, PCI_BASE_ADDRESS_0, 4, 0xfeb80000);
	put(r, PCI_BASE_ADDRESS_1, 4, 0xfeba0000);
	put(r, PCI_BASE_ADDRESS_2, 4, 0xc001);
	put(r, PCI_BASE_ADDRESS_3, 4, 0xfebc0000);
	put(r, PCI_SUBSYSTEM_VENDOR_ID, 4, 0x00008086);
	put(r, PCI_ROM_ADDRESS, 4, 0xfeb00001);
	put(r, PCI_CAPABILITY_LIST, 1, 0x50);
	put(r, PCI_INTERRUPT_LINE, 2, 0x010b);
	put(r, 0x50, 4, 0x00806005);
	put(r, 0x60, 4, 0xc8227001);
	put(r, 0x70, 4, 0x00040011);
	put(r, 0x74, 4, 3);
	put(r, 0x78, 4, 0x2003);
	put(r, 0xa0, 4, 0xdeadbeef);
}

static int show(struct real *r)
{
	return vfio_shadow_make(&r->shadow, r->vdev, "0000:00:04.0", r->config, r->bar_bytes,
				&r->e);
}

static void close_real(struct real *r)
{
	vdev_free(r->vdev);
}

static uint32_t get(struct real *r, unsigned offset, unsigned width)
{
	return pci_function_read(&r->shadow.function, offset, width);
}

static void set(struct real *r, unsigned offset, unsigned width, uint32_t value)
{
	pci_function_write(&r->shadow.function, offset, width, value);
}

TEST(a_passed_function_has_the_identity_of_the_real_one_and_none_of_its_state)
{
	struct real r;

	open_real(&r);
	assert_int_equal(show(&r), 0);
	assert_int_equal(get(&r, PCI_VENDOR_ID, 4), 0x10d38086);
	assert_int_equal(get(&r, PCI_CLASS_REVISION, 4), 0x02000003);
	assert_int_equal(get(&r, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x00008086);
	assert_int_equal(get(&r, PCI_COMMAND, 2), 0);
	assert_int_equal(get(&r, PCI_BASE_ADDRESS_0, 4), 0);
	assert_int_equal(get(&r, PCI_ROM_ADDRESS, 4), 0);
	assert_int_equal(get(&r, PCI_INTERRUPT_PIN, 1), 0);
	assert_int_equal(get(&r, 0xa0, 4), 0);
	close_real(&r);
}

TEST(a_passed_function_shows_its_memory_bars_in_their_sizes_and_no_ports)
{
	struct real r;

	open_real(&r);
	assert_int_equal(show(&r), 0);
	for (unsigned n = 0; n < PCI_BARS; n++)
		set(&r, PCI_BASE_ADDRESS_0 + 4 * n, 4, UINT32_MAX);
	set(&r, PCI_ROM_ADDRESS, 4, UINT32_MAX);
	assert_int_equal(get(&r, PCI_BASE_ADDRESS_0, 4), 0xfffe0000);
	assert_int_equal(get(&r, PCI_BASE_ADDRESS_1, 4), 0xfffe0000);
	assert_int_equal(get(&r, PCI_BASE_ADDRESS_2, 4), 0);
	assert_int_equal(get(&r, PCI_BASE_ADDRESS_3, 4), 0xffffc000);
	assert_int_equal(get(&r, PCI_BASE_ADDRESS_4, 4), 0);
	assert_int_equal(get(&r, PCI_ROM_ADDRESS, 4), 0);
	close_real(&r);
}

TEST(the_upper_half_of_a_64_bit_bar_is_no_bar_of_the_guest)
{
	struct real r;

	open_real(&r);
	put(&r, PCI_BASE_ADDRESS_0, 4, 0xfeb8000c);
	assert_int_equal(show(&r), 0);
	assert_int_equal(r.shadow.function.bar_bytes[0], 0x20000);
	assert_int_equal(r.shadow.function.bar_bytes[1], 0);
	assert_int_equal(r.shadow.function.bar_bytes[3], 0x4000);
	close_real(&r);
}

TEST(a_passed_function_has_msi_and_msix_and_no_other_capability)
{
	unsigned at, n = 0;
	struct real r;

	open_real(&r);
	assert_int_equal(show(&r), 0);
	for (at = get(&r, PCI_CAPABILITY_LIST, 1); at; at = get(&r, at + PCI_CAP_LIST_NEXT, 1)) {
		assert_true(get(&r, at, 1) == PCI_CAP_ID_MSI || get(&r, at, 1) == PCI_CAP_ID_MSIX);
		n++;
	}
	assert_int_equal(n, 2);
	assert_int_equal(r.shadow.n_vectors, 5);
	assert_int_equal(r.shadow.table_bar, 3);
	assert_int_equal(get(&r, r.shadow.msix + PCI_MSIX_FLAGS, 2), 4);
	assert_int_equal(get(&r, r.shadow.msix + PCI_MSIX_TABLE, 4), 3);
	assert_int_equal(get(&r, r.shadow.msix + PCI_MSIX_PBA, 4), 0x2003);
	/* One vector, whatever the guest asks for. */
	set(&r, r.shadow.msi + PCI_MSI_FLAGS, 2, 0xffff);
	assert_int_equal(get(&r, r.shadow.msi + PCI_MSI_FLAGS, 2),
			 PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_ENABLE);
	close_real(&r);
}

TEST(the_guest_commands_memory_and_mastering_of_a_passed_function_alone)
{
	struct real r;

	open_real(&r);
	assert_int_equal(show(&r), 0);
	set(&r, PCI_COMMAND, 2, 0xffff);
	assert_int_equal(get(&r, PCI_COMMAND, 2),
			 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	close_real(&r);
}

TEST(a_table_of_messages_that_leaves_its_bar_is_hidden)
{
	struct real r;

	open_real(&r);
	put(&r, 0x74, 4, 0x3fc3);
	assert_int_equal(show(&r), 0);
	assert_int_equal(r.shadow.msix, 0);
	assert_int_equal(r.shadow.n_vectors, 0);
	put(&r, 0x74, 4, 7); /* no such BAR */
	assert_int_equal(show(&r), 0);
	assert_int_equal(r.shadow.msix, 0);
	close_real(&r);
}

TEST(capabilities_in_a_ring_or_at_the_end_are_walked_and_left)
{
	struct real r;

	open_real(&r);
	put(&r, 0x51, 1, 0x50);
	assert_int_equal(show(&r), 0);
	assert_int_not_equal(r.shadow.msi, 0);
	assert_int_equal(r.shadow.msix, 0);
	put(&r, 0x51, 1, 0xfc);
	put(&r, 0xfc, 4, 0x00000011);
	assert_int_equal(show(&r), 0);
	assert_int_equal(r.shadow.msix, 0);
	close_real(&r);
}

static void refuse(struct real *r, const char *why)
{
	assert_int_equal(show(r), -1);
	assert_non_null(strstr(r->e.msg, "0000:00:04.0"));
	assert_non_null(strstr(r->e.msg, why));
	close_real(r);
}

TEST(a_function_has_the_line_of_its_device_where_the_board_has_lines)
{
	struct real r;

	open_real(&r);
	put(&r, PCI_INTERRUPT_PIN, 1, 3);
	assert_int_equal(show(&r), 0);
	assert_int_equal(vfio_shadow_wire(&r.shadow, "0000:00:04.0", r.config, true, &r.e), 0);
	assert_true(r.shadow.has_line);
	assert_int_equal(get(&r, PCI_INTERRUPT_PIN, 1), 1);
	/* Messages are enough on one that has none. */
	assert_int_equal(show(&r), 0);
	assert_int_equal(vfio_shadow_wire(&r.shadow, "0000:00:04.0", r.config, false, &r.e), 0);
	assert_false(r.shadow.has_line);
	assert_int_equal(get(&r, PCI_INTERRUPT_PIN, 1), 0);
	close_real(&r);
}

TEST(a_function_that_interrupts_by_a_line_alone_needs_a_board_with_lines)
{
	struct real r;

	open_real(&r);
	put(&r, PCI_STATUS, 2, 0);
	assert_int_equal(show(&r), 0);
	assert_int_equal(vfio_shadow_wire(&r.shadow, "0000:00:04.0", r.config, true, &r.e), 0);
	assert_int_equal(show(&r), 0);
	assert_int_equal(vfio_shadow_wire(&r.shadow, "0000:00:04.0", r.config, false, &r.e), -1);
	assert_non_null(strstr(r.e.msg, "vdev ioapic"));
	close_real(&r);
}

TEST(a_bridge_a_dead_function_and_a_huge_bar_are_refused)
{
	struct real r;

	open_real(&r);
	put(&r, PCI_HEADER_TYPE, 1, 0x81);
	refuse(&r, "bridge");
	open_real(&r);
	memset(r.config, 0xff, sizeof r.config);
	put(&r, PCI_HEADER_TYPE, 1, 0);
	refuse(&r, "does not answer");
	open_real(&r);
	r.bar_bytes[1] = UINT64_C(1) << 32;
	refuse(&r, "BAR 1");
}
