/* SPDX-License-Identifier: Apache-2.0 */
/* The PCI bus as a guest sees it: host bridge, configuration, BARs, INTA, MSI-X. */
#include <linux/pci_regs.h>
#include <string.h>

#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"
#include "vmm/pci/function.h"
#include "vmm/pci/msix.h"
#include "vmm/pci/slot.h"

/* A function with a BAR of 4 KiB that answers with its number and offset, and MSI-X in BAR 1. */
struct probe {
	struct pci_function function;
	struct pci_msix msix;
};

static uint64_t probe_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	struct probe *p = d->state;

	return region == 1 ? pci_msix_read(&p->msix, offset, width) : 0x1000 + offset;
}

static void probe_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
			uint64_t value)
{
	struct probe *p = d->state;

	if (region == 1)
		pci_msix_write(&p->msix, offset, width, value);
}

static const struct vdev_class probe_class = {.name = "probe",
					      .widths = VDEV_DWORD | VDEV_QWORD,
					      .is_pci = true,
					      .intr = -1,
					      .state_bytes = sizeof(struct probe),
					      .read = probe_read,
					      .write = probe_write};

enum { DATA = 0xcfc, WINDOW = 0xe8000000, ECAM = 0xe0000000 };

struct pci_bench {
	struct vdev_bench b; /* its vdev is the bridge */
	struct probe *probe[2];
};

static struct vdev *add_probe(struct pci_bench *p, unsigned n, int slot)
{
	struct vdev *d = vdev_new(&probe_class, 1);
	struct pci_id id = {.vendor = 0x1c05, .device = (uint16_t)(0x100 + n), .class = 0x058000};

	d->machine = (struct machine *)&p->b;
	d->slot = slot;
	p->probe[n] = d->state;
	pci_function_init(&p->probe[n]->function, d, &id);
	pci_function_enliven(&p->probe[n]->function);
	pci_function_add_bar(&p->probe[n]->function, 0, 4096);
	pci_msix_init(&p->probe[n]->msix, &p->probe[n]->function, 1, 2);
	d->pci = &p->probe[n]->function;
	p->b.beside[n] = d;
	return d;
}

/* Functions at 0:1.0 and 0:5.0, whose INTA is the same line. */
static void set_up(struct pci_bench *p)
{
	vdev_bench_make(&p->b, "pci-host");
	add_probe(p, 0, 1 * PCI_FUNCTIONS);
	add_probe(p, 1, 5 * PCI_FUNCTIONS);
	vdev_bench_assemble(&p->b);
}

static void tear_down(struct pci_bench *p)
{
	vdev_free(p->b.beside[0]);
	vdev_free(p->b.beside[1]);
	vdev_bench_close(&p->b);
}

static uint32_t config(struct pci_bench *p, int slot, unsigned offset, unsigned width)
{
	vdev_bench_write(&p->b, 0xcf8, 4, 0x80000000 | (uint32_t)slot << 8 | (offset & 0xfc));
	return (uint32_t)vdev_bench_read(&p->b, DATA + (offset & 3), width);
}

static void set_config(struct pci_bench *p, int slot, unsigned offset, unsigned width,
		       uint32_t value)
{
	vdev_bench_write(&p->b, 0xcf8, 4, 0x80000000 | (uint32_t)slot << 8 | (offset & 0xfc));
	vdev_bench_write(&p->b, DATA + (offset & 3), width, value);
}

/* Who answers at an address of the window: -1 nobody. */
static int owner(struct pci_bench *p, uint64_t address, struct vdev_target *t)
{
	*t = (struct vdev_target){p->b.vdev, 1, address - WINDOW};
	if (!p->b.vdev->class->route(p->b.vdev, t, 4))
		return -1;
	return t->vdev->slot;
}

TEST(pci_bridge_is_found_by_both_mechanisms_and_absent_functions_read_ones)
{
	struct pci_bench p;

	set_up(&p);
	assert_int_equal(config(&p, 0, 0, 4), 0x00021c05);
	assert_int_equal(config(&p, 0, PCI_CLASS_REVISION, 4), 0x06000000);
	assert_int_equal(vdev_bench_read(&p.b, 0xcf8, 4), 0x80000008);
	assert_int_equal(vdev_bench_read(&p.b, ECAM, 4), 0x00021c05);
	assert_int_equal(vdev_bench_read(&p.b, ECAM + (1 << 15) + 2, 2), 0x100);
	assert_int_equal(vdev_bench_read(&p.b, ECAM + (1 << 15) + 0x100, 4), 0);
	assert_int_equal(vdev_bench_read(&p.b, ECAM + (2 << 15), 4), 0xffffffff);
	assert_int_equal(config(&p, 2 * PCI_FUNCTIONS, 0, 2), 0xffff);
	set_config(&p, 2 * PCI_FUNCTIONS, PCI_COMMAND, 2, 0xffff); /* dropped */
	tear_down(&p);
}

TEST(pci_configuration_is_closed_without_the_enable_bit_and_on_other_buses)
{
	struct pci_bench p;

	set_up(&p);
	vdev_bench_write(&p.b, 0xcf8, 4, 0);
	assert_int_equal(vdev_bench_read(&p.b, DATA, 4), 0xffffffff);
	vdev_bench_write(&p.b, 0xcf8, 4, 0x80010000);
	assert_int_equal(vdev_bench_read(&p.b, DATA, 4), 0xffffffff);
	vdev_bench_write(&p.b, 0xcfb, 1, 1); /* a byte is not for CONFIG_ADDRESS */
	assert_int_equal(vdev_bench_read(&p.b, 0xcf8, 4), 0x80010000);
	tear_down(&p);
}

TEST(pci_bar_tells_its_size_and_moves_while_running)
{
	struct pci_bench p;
	struct vdev_target t;
	uint32_t bar;

	set_up(&p);
	bar = config(&p, 8, PCI_BASE_ADDRESS_0, 4);
	assert_int_equal(bar, WINDOW);
	assert_int_equal(owner(&p, bar, &t), -1); /* decoding is off */
	set_config(&p, 8, PCI_BASE_ADDRESS_0, 4, 0xffffffff);
	assert_int_equal(config(&p, 8, PCI_BASE_ADDRESS_0, 4), 0xfffff000);
	set_config(&p, 8, PCI_BASE_ADDRESS_0, 4, WINDOW + 0x123000);
	set_config(&p, 8, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(owner(&p, bar, &t), -1);
	assert_int_equal(owner(&p, WINDOW + 0x123ffc, &t), 8);
	assert_int_equal(t.region, 0);
	assert_int_equal(t.offset, 0xffc);
	assert_int_equal(owner(&p, WINDOW + 0x123ffe, &t), -1); /* over its end */
	tear_down(&p);
}

TEST(pci_read_only_registers_keep_their_values)
{
	struct pci_bench p;

	set_up(&p);
	set_config(&p, 8, 0, 4, 0);
	set_config(&p, 8, PCI_STATUS, 2, 0xffff);
	set_config(&p, 8, PCI_INTERRUPT_PIN, 1, 7);
	set_config(&p, 8, PCI_BASE_ADDRESS_5, 4, 0xffffffff);
	assert_int_equal(config(&p, 8, 0, 4), 0x01001c05);
	assert_int_equal(config(&p, 8, PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
	assert_int_equal(config(&p, 8, PCI_INTERRUPT_PIN, 1), 1);
	assert_int_equal(config(&p, 8, PCI_INTERRUPT_LINE, 1), 17);
	assert_int_equal(config(&p, 8, PCI_BASE_ADDRESS_5, 4), 0);
	tear_down(&p);
}

TEST(pci_line_is_high_while_any_function_on_it_asserts_and_may)
{
	struct pci_bench p;

	set_up(&p);
	pci_function_interrupt(&p.probe[0]->function, true);
	pci_function_interrupt(&p.probe[1]->function, true);
	assert_int_equal(p.b.lines, 1 << 17);
	pci_function_interrupt(&p.probe[0]->function, false);
	assert_int_equal(p.b.lines, 1 << 17);
	set_config(&p, 40, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
	assert_int_equal(p.b.lines, 0);
	assert_true(config(&p, 40, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	set_config(&p, 40, PCI_COMMAND, 2, 0);
	assert_int_equal(p.b.lines, 1 << 17);
	pci_function_interrupt(&p.probe[1]->function, false);
	assert_int_equal(p.b.lines, 0);
	tear_down(&p);
}

TEST(pci_msix_keeps_what_is_masked_and_sends_it_when_unmasked)
{
	struct pci_bench p;
	struct pci_msix *x;
	unsigned flags;

	set_up(&p);
	x = &p.probe[0]->msix;
	flags = config(&p, 8, PCI_CAPABILITY_LIST, 1) + PCI_MSIX_FLAGS;
	assert_int_equal(config(&p, 8, flags, 2), 1); /* two vectors */
	pci_msix_raise(x, 0);
	assert_int_equal(x->pending, 0); /* it is off */
	set_config(&p, 8, flags, 2, PCI_MSIX_FLAGS_ENABLE);
	set_config(&p, 8, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	pci_msix_write(x, 16, 8, 0xfee01000);
	pci_msix_write(x, 24, 4, 0x4041);
	pci_msix_raise(x, 1);
	assert_int_equal(p.b.n_messages, 0);
	assert_int_equal(pci_msix_read(x, 0x800, 8), 2);
	pci_msix_write(x, 28, 4, 0);
	assert_int_equal(p.b.n_messages, 1);
	assert_int_equal(p.b.message_address, 0xfee01000);
	assert_int_equal(p.b.message_data, 0x4041);
	assert_int_equal(pci_msix_read(x, 0x800, 4), 0);
	pci_msix_raise(x, 2); /* there is none */
	pci_msix_write(x, 32, 4, 5);
	pci_msix_write(x, 0xff8, 8, 5);
	assert_int_equal(pci_msix_read(x, 32, 4), 0);
	assert_int_equal(pci_msix_read(x, 16, 2), 0);
	assert_int_equal(p.b.n_messages, 1);
	tear_down(&p);
}

TEST(pci_dummy_shows_what_its_options_say_and_nothing_else)
{
	struct vdev_bench b;
	struct err e;

	vdev_bench_make(&b, "pci-dummy");
	assert_int_equal(vdev_bench_option(&b, "reg", "Vendor_ID=0x1234", &e), 0);
	assert_int_equal(vdev_bench_option(&b, "reg", "Class_Code[2]=6", &e), 0);
	assert_int_equal(vdev_bench_option(&b, "reg", "0x40/4=0xdeadbeef", &e), 0);
	assert_int_equal(vdev_bench_option(&b, "reg", "0xfd/4=1", &e), -1);
	assert_int_equal(vdev_bench_option(&b, "reg", "0x40/3=1", &e), -1);
	assert_int_equal(vdev_bench_option(&b, "reg", "0x40/1=256", &e), -1);
	assert_int_equal(vdev_bench_option(&b, "reg", "Nothing=1", &e), -1);
	assert_int_equal(vdev_bench_option(&b, "reg", "Vendor_ID", &e), -1);
	assert_int_equal(vdev_bench_option(&b, "clone", "0:1f.0", &e), -1);
	vdev_bench_assemble(&b);
	pci_function_write(b.vdev->pci, 0, 4, 0);
	assert_int_equal(pci_function_read(b.vdev->pci, 0, 4), 0x00001234);
	assert_int_equal(pci_function_read(b.vdev->pci, PCI_CLASS_REVISION, 4), 0x06000000);
	assert_int_equal(pci_function_read(b.vdev->pci, 0x40, 4), 0xdeadbeef);
	vdev_bench_close(&b);
}

TEST(pci_host_shows_what_its_options_say)
{
	struct vdev_bench b;
	struct err e;

	vdev_bench_make(&b, "pci-host");
	assert_int_equal(vdev_bench_option(&b, "reg", "Device_ID=0x29c0", &e), 0);
	assert_int_equal(vdev_bench_option(&b, "reg", "Device_ID=0x29c00", &e), -1);
	vdev_bench_assemble(&b);
	assert_int_equal(pci_function_read(b.vdev->pci, 2, 2), 0x29c0);
	assert_int_equal(pci_function_read(b.vdev->pci, PCI_CLASS_REVISION, 4) >> 8, 0x060000);
	vdev_bench_close(&b);
}
