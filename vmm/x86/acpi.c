/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/acpi.h"

#include <stdbool.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/conf/board.h"
#include "vmm/vdev/hpet.h"
#include "vmm/vdev/vdev.h"
#include "vmm/x86/acpi_extra.h"
#include "vmm/x86/aml.h"
#include "vmm/x86/dsdt.h"

#define PACKED __attribute__((packed))

/* 5.2.5.3 */
struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t extended_checksum, reserved[3];
} PACKED;

/* 5.2.6 */
struct header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision;
	char creator[4];
	uint32_t creator_revision;
} PACKED;

struct xsdt {
	struct header h;
	uint64_t table[4 + ACPI_EXTRAS]; /* as many as there are */
} PACKED;

/* 5.2.3.2 */
struct address {
	uint8_t space, bits, offset, access;
	uint64_t at;
} PACKED;

/* 5.2.9 */
struct fadt {
	struct header h;
	uint32_t facs, dsdt;
	uint8_t reserved, profile;
	uint16_t sci;
	uint32_t smi_cmd;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0,
		gpe1;
	uint8_t pm1_event_len, pm1_control_len, pm2_control_len, pm_timer_len, gpe0_len, gpe1_len,
		gpe1_base, cstate;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_flags;
	uint8_t reserved2;
	uint32_t flags;
	struct address reset;
	uint8_t reset_value;
	uint16_t arm_flags;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control,
		x_pm_timer, x_gpe0, x_gpe1, sleep_control, sleep_status;
	char hypervisor[8];
} PACKED;

/* 5.2.10 */
struct facs {
	char signature[4];
	uint32_t length, hardware, waking, lock, flags;
	uint64_t x_waking;
	uint8_t version, reserved[31];
} PACKED;

/* 5.2.12 */
struct madt {
	struct header h;
	uint32_t local_apic, flags;
} PACKED;
struct madt_cpu {
	uint8_t type, length, uid, apic_id;
	uint32_t flags;
} PACKED;
struct madt_x2apic {
	uint8_t type, length;
	uint16_t reserved;
	uint32_t x2apic_id, flags, uid;
} PACKED;
struct madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t gpa, first_gsi;
} PACKED;
struct madt_override {
	uint8_t type, length, bus, source;
	uint32_t gsi;
	uint16_t flags;
} PACKED;

/* PCI Firmware 3.0, 4.1.2 */
struct mcfg {
	struct header h;
	uint64_t reserved;
	uint64_t base;
	uint16_t segment;
	uint8_t first_bus, last_bus;
	uint32_t reserved2;
} PACKED;

/* IA-PC HPET 1.0a, 3.2.4 */
struct hpet_table {
	struct header h;
	uint32_t block_id;
	struct address base;
	uint8_t number;
	uint16_t least_ticks;
	uint8_t page_protection;
} PACKED;

_Static_assert(sizeof(struct rsdp) == ACPI_RSDP_BYTES && sizeof(struct header) == 36 &&
		       sizeof(struct fadt) == 276 && sizeof(struct facs) == 64 &&
		       sizeof(struct madt) == 44 && sizeof(struct madt_x2apic) == 16 &&
		       sizeof(struct mcfg) == 60 && sizeof(struct hpet_table) == 56,
	       "read by the guest");

enum {
	LOCAL_APIC = 0xfee00000,
	FIRST_X2APIC = 255, /* ids that do not fit the old entry */
	SPACE_MEMORY = 0,
	SPACE_IO = 1,
	ACCESS_BYTE = 1,
	ACCESS_WORD = 2,
	ACCESS_DWORD = 3,
	PORT_8042 = 0x60,
	PORT_RTC = 0x70,
	BOOT_LEGACY = 1 << 0,
	BOOT_8042 = 1 << 1,
	BOOT_NO_VGA = 1 << 2,
	BOOT_NO_RTC = 1 << 5,
	FADT_WBINVD = 1 << 0,
	FADT_C1 = 1 << 2,
	FADT_NO_SLEEP_BUTTON = 1 << 5,
	FADT_NO_RTC_WAKE = 1 << 6,
	FADT_TIMER_32 = 1 << 8,
	FADT_RESET = 1 << 10,
	RESET_CONTROL = 1, /* the region of vdev `reset` that is the PC's port 0xcf9 */
	RESET_VALUE = 6,
	MADT_HAS_8259 = 1,
	MADT_ENABLED = 1,
	MADT_HIGH_LEVEL = 0xd, /* active high, level */
	RTC_CENTURY = 0x32,
};

/* Where each table lies, from the start of the area. */
struct places {
	size_t xsdt, fadt, facs, dsdt, madt, mcfg, hpet, extra, bytes;
};

static size_t align(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

static size_t madt_bytes(const struct board *b)
{
	size_t old = b->n_cpus < FIRST_X2APIC ? b->n_cpus : FIRST_X2APIC;

	return sizeof(struct madt) + old * sizeof(struct madt_cpu) +
	       (b->n_cpus - old) * sizeof(struct madt_x2apic) +
	       (dsdt_find(b, "ioapic") ? sizeof(struct madt_ioapic) + sizeof(struct madt_override)
				       : 0);
}

static size_t xsdt_bytes(const struct board *b, const struct acpi_extras *x)
{
	unsigned n = 2 + (dsdt_find(b, "pci-host") != NULL) + (dsdt_find(b, "hpet") != NULL) + x->n;

	return offsetof(struct xsdt, table) + n * sizeof(uint64_t);
}

static struct places places_of(const struct board *b, const struct acpi_extras *x,
			       const struct aml *dsdt)
{
	struct places p = {.xsdt = align(sizeof(struct rsdp))};

	p.fadt = align(p.xsdt + xsdt_bytes(b, x));
	p.facs = align(p.fadt + sizeof(struct fadt));
	p.dsdt = align(p.facs + sizeof(struct facs));
	p.madt = align(p.dsdt + sizeof(struct header) + dsdt->n);
	p.mcfg = p.bytes = p.madt + madt_bytes(b);
	if (dsdt_find(b, "pci-host")) {
		p.mcfg = align(p.bytes);
		p.bytes = p.mcfg + sizeof(struct mcfg);
	}
	p.hpet = p.bytes;
	if (dsdt_find(b, "hpet")) {
		p.hpet = align(p.bytes);
		p.bytes = p.hpet + sizeof(struct hpet_table);
	}
	p.extra = p.bytes;
	p.bytes = acpi_extra_end(x, p.bytes);
	return p;
}

size_t acpi_bytes(const struct board *b, const struct acpi_extras *x)
{
	struct aml dsdt;

	dsdt_write(b, &dsdt);
	return places_of(b, x, &dsdt).bytes;
}

static uint8_t checksum(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint8_t sum = 0;

	while (n--)
		sum = (uint8_t)(sum + *p++);
	return (uint8_t)-sum;
}

static struct header header(const char *signature, uint8_t revision, size_t length)
{
	struct header h = {.length = (uint32_t)length,
			   .revision = revision,
			   .oem_revision = 1,
			   .creator_revision = 1};

	memcpy(h.signature, signature, sizeof h.signature);
	memcpy(h.oem, "QVM   ", sizeof h.oem);
	memcpy(h.oem_table, "QVMBOARD", sizeof h.oem_table);
	memcpy(h.creator, "QVM ", sizeof h.creator);
	return h;
}

/* Put a table in its place, with the checksum right. */
static void put(uint8_t *host, const void *table, size_t n)
{
	memcpy(host, table, n);
	host[offsetof(struct header, checksum)] = 0;
	host[offsetof(struct header, checksum)] = checksum(host, n);
}

/* Where the board has a register: any `loc`, also one in memory. */
static struct address address(const struct vdev_region *r)
{
	return (struct address){
		.space = r->space == VDEV_IO ? SPACE_IO : SPACE_MEMORY,
		.bits = (uint8_t)(r->bytes * 8),
		.access = r->bytes == 1	  ? ACCESS_BYTE
			  : r->bytes == 2 ? ACCESS_WORD
					  : ACCESS_DWORD,
		.at = r->base,
	};
}

/* 5.2.9: the old fields hold ports alone; a register in memory is in the new one only. */
static uint32_t port(const struct vdev_region *r)
{
	return r->space == VDEV_IO ? (uint32_t)r->base : 0;
}

static bool is_at_port(const struct vdev *d, uint64_t base)
{
	return d && d->region[0].space == VDEV_IO && d->region[0].base == base;
}

/* The registers of vdev `pm`: event, control, timer. */
static void name_pm(const struct vdev *pm, struct fadt *f)
{
	const struct vdev_region *r = pm->region;

	f->sci = (uint16_t)(pm->intr >= 0 ? pm->intr : 0);
	f->pm1a_event = port(&r[0]);
	f->pm1_event_len = 4;
	f->x_pm1a_event = address(&r[0]);
	f->pm1a_control = port(&r[1]);
	f->pm1_control_len = 2;
	f->x_pm1a_control = address(&r[1]);
	f->pm_timer = port(&r[2]);
	f->pm_timer_len = 4;
	f->x_pm_timer = address(&r[2]);
	f->flags |= FADT_TIMER_32;
}

static void write_fadt(const struct board *b, const struct places *p, uint64_t gpa, uint8_t *host)
{
	struct fadt f = {.h = header("FACP", 6, sizeof f),
			 .facs = (uint32_t)(gpa + p->facs),
			 .dsdt = (uint32_t)(gpa + p->dsdt),
			 .x_dsdt = gpa + p->dsdt,
			 .c2_latency = 101, /* above 100: there is no C2; above 1000: no C3 */
			 .c3_latency = 1001,
			 .boot_flags = BOOT_LEGACY | BOOT_NO_VGA,
			 .flags = FADT_WBINVD | FADT_C1 | FADT_NO_SLEEP_BUTTON | FADT_NO_RTC_WAKE,
			 .minor = 4};
	const struct vdev *pm = dsdt_find(b, "pm"), *reset = dsdt_find(b, "reset");

	if (pm)
		name_pm(pm, &f);
	if (reset) {
		f.reset = address(&reset->region[RESET_CONTROL]);
		f.reset_value = RESET_VALUE;
		f.flags |= FADT_RESET;
	}
	/* Guests look for these two nowhere but at the ports that every PC has them at. */
	if (is_at_port(dsdt_find(b, "pckeyboard"), PORT_8042))
		f.boot_flags |= BOOT_8042;
	if (is_at_port(dsdt_find(b, "mc146818"), PORT_RTC))
		f.century = RTC_CENTURY;
	else
		f.boot_flags |= BOOT_NO_RTC;
	memcpy(f.hypervisor, "QVM     ", sizeof f.hypervisor);
	put(host + p->fadt, &f, sizeof f);
}

static size_t add(uint8_t *host, size_t at, const void *entry, size_t n)
{
	memcpy(host + at, entry, n);
	return at + n;
}

static void write_madt(const struct board *b, const struct places *p, uint8_t *host)
{
	struct madt m = {.h = header("APIC", 5, madt_bytes(b)),
			 .local_apic = LOCAL_APIC,
			 .flags = dsdt_find(b, "8259") ? MADT_HAS_8259 : 0};
	const struct vdev *ioapic = dsdt_find(b, "ioapic"), *pm = dsdt_find(b, "pm");
	size_t at = add(host, p->madt, &m, sizeof m);

	for (uint32_t i = 0; i < b->n_cpus; i++) {
		struct madt_cpu old = {0, sizeof old, (uint8_t)i, (uint8_t)i, MADT_ENABLED};
		struct madt_x2apic x2 = {9, sizeof x2, 0, i, MADT_ENABLED, i};

		at = i < FIRST_X2APIC ? add(host, at, &old, sizeof old)
				      : add(host, at, &x2, sizeof x2);
	}
	if (ioapic) {
		struct madt_ioapic io_apic = {
			1, sizeof io_apic, 0, 0, (uint32_t)ioapic->region[0].base, 0};
		uint8_t sci = (uint8_t)(pm && pm->intr >= 0 ? pm->intr : 9);
		/* ISA lines are edges, but the SCI is a level. KVM wires line n to pin n. */
		struct madt_override level = {2, sizeof level, 0, sci, sci, MADT_HIGH_LEVEL};

		at = add(host, at, &io_apic, sizeof io_apic);
		at = add(host, at, &level, sizeof level);
	}
	host[p->madt + offsetof(struct header, checksum)] = checksum(host + p->madt, at - p->madt);
}

static void write_dsdt(const struct aml *code, uint8_t *at)
{
	struct header h = header("DSDT", 2, sizeof h + code->n);

	memcpy(at, &h, sizeof h);
	memcpy(at + sizeof h, code->code, code->n);
	at[offsetof(struct header, checksum)] = checksum(at, sizeof h + code->n);
}

static void write_hpet(const struct vdev *hpet, uint8_t *at)
{
	enum { LEAST_TICKS = 128 };
	struct hpet_table t = {
		.h = header("HPET", 1, sizeof t),
		.block_id = hpet_block_id(hpet),
		.base = {.space = SPACE_MEMORY, .bits = 64, .at = hpet->region[0].base},
		.least_ticks = LEAST_TICKS};

	put(at, &t, sizeof t);
}

void acpi_write(const struct board *b, const struct acpi_extras *extras, uint64_t gpa,
		uint8_t *host)
{
	struct aml dsdt;
	struct places p;
	uint64_t extra_at[ACPI_EXTRAS] = {0};
	struct rsdp r = {.revision = 2, .length = sizeof r};
	struct xsdt x = {.h = header("XSDT", 1, xsdt_bytes(b, extras))};
	struct facs facs = {.length = sizeof facs, .version = 2};
	struct mcfg mcfg = {.h = header("MCFG", 1, sizeof mcfg)};
	const struct vdev *bridge = dsdt_find(b, "pci-host"), *hpet = dsdt_find(b, "hpet");
	unsigned n = 2;

	dsdt_write(b, &dsdt);
	p = places_of(b, extras, &dsdt);
	r.xsdt = gpa + p.xsdt;
	x.table[0] = gpa + p.fadt;
	x.table[1] = gpa + p.madt;
	if (bridge)
		x.table[n++] = gpa + p.mcfg;
	if (hpet)
		x.table[n++] = gpa + p.hpet;
	memset(host, 0, p.bytes);
	acpi_extra_write(extras, p.extra, gpa, host, extra_at);
	for (unsigned i = 0; i < extras->n; i++)
		x.table[n + i] = extra_at[i];
	memcpy(r.signature, "RSD PTR ", sizeof r.signature);
	memcpy(r.oem, "QVM   ", sizeof r.oem);
	r.checksum = checksum(&r, offsetof(struct rsdp, length));
	r.extended_checksum = checksum(&r, sizeof r);
	memcpy(host, &r, sizeof r);
	put(host + p.xsdt, &x, xsdt_bytes(b, extras));
	write_fadt(b, &p, gpa, host);
	memcpy(facs.signature, "FACS", sizeof facs.signature);
	memcpy(host + p.facs, &facs, sizeof facs);
	write_dsdt(&dsdt, host + p.dsdt);
	write_madt(b, &p, host);
	if (bridge) {
		mcfg.base = bridge->region[0].base;
		put(host + p.mcfg, &mcfg, sizeof mcfg);
	}
	if (hpet)
		write_hpet(hpet, host + p.hpet);
}
