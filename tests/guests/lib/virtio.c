/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio.h"

#include "lapic.h"
#include "pci.h"

enum { CAPABILITIES = 0x34, BAR1 = 0x14, VENDOR_CAP = 9, MSIX = 17 };
enum { COMMON_CFG = 1, NOTIFY_CFG = 2, ISR_CFG = 3, DEVICE_CFG = 4 };
enum { DRIVER = 3, FEATURES = 11, READY = 15, VERSION_1 = 1 /* of the second half */ };
/* A register of either transport: 4.2.2 and 4.1.4.3. */
enum { MMIO_NOTIFY = 0x50, MMIO_PENDING = 0x60, MMIO_ACKNOWLEDGE = 0x64, MMIO_CONFIG = 0x100 };

static volatile uint32_t *at32(uint64_t gpa)
{
	return (volatile uint32_t *)(uintptr_t)gpa;
}

static volatile uint16_t *at16(uint64_t gpa)
{
	return (volatile uint16_t *)(uintptr_t)gpa;
}

static volatile uint8_t *at8(uint64_t gpa)
{
	return (volatile uint8_t *)(uintptr_t)gpa;
}

static void set32(const struct virtio *v, unsigned mmio, unsigned common, uint32_t value)
{
	*at32(v->base + (v->is_mmio ? mmio : common)) = value;
}

/* MMIO has 32 bits where PCI has 16. */
static void set16(const struct virtio *v, unsigned mmio, unsigned common, uint16_t value)
{
	if (v->is_mmio)
		*at32(v->base + mmio) = value;
	else
		*at16(v->base + common) = value;
}

bool virtio_find(struct virtio *v, unsigned id, uint32_t bar)
{
	const int device = pci_find(VIRTIO_VENDOR | (0x1040 + id) << 16);

	*v = (struct virtio){0};
	if (device < 0)
		return false;
	v->device = (unsigned)device;
	pci_set32(v->device, PCI_BAR0, bar);
	pci_set16(v->device, PCI_COMMAND, PCI_MEMORY | PCI_MASTER);
	for (unsigned c = pci_get(v->device, CAPABILITIES) & 0xfc; c;
	     c = pci_get(v->device, c + 1) & 0xfc) {
		const uint64_t at = bar + pci_get(v->device, c + 8);

		if ((pci_get(v->device, c) & 0xff) != VENDOR_CAP)
			continue;
		switch (pci_get(v->device, c + 3) & 0xff) {
		case COMMON_CFG: v->base = at; break;
		case ISR_CFG: v->isr = at; break;
		case DEVICE_CFG: v->config = at; break;
		case NOTIFY_CFG:
			v->notify = at;
			v->multiplier = pci_get(v->device, c + 16);
			break;
		}
	}
	return true;
}

void virtio_at(struct virtio *v, uint64_t registers)
{
	*v = (struct virtio){.is_mmio = true,
			     .base = registers,
			     .notify = registers + MMIO_NOTIFY,
			     .config = registers + MMIO_CONFIG};
}

void virtio_messages(const struct virtio *v, uint32_t bar, uint8_t vector)
{
	pci_set32(v->device, BAR1, bar);
	for (unsigned c = pci_get(v->device, CAPABILITIES) & 0xfc; c;
	     c = pci_get(v->device, c + 1) & 0xfc)
		if ((pci_get(v->device, c) & 0xff) == MSIX)
			pci_set16(v->device, c + 2, 0x8000);
	*at32(bar) = 0xfee00000 | lapic_id() << 12;
	*at32(bar + 4) = 0;
	*at32(bar + 8) = vector;
	*at32(bar + 12) = 0;
}

void virtio_acknowledge(const struct virtio *v)
{
	if (v->is_mmio)
		*at32(v->base + MMIO_ACKNOWLEDGE) = *at32(v->base + MMIO_PENDING);
	else
		(void)*at8(v->isr);
}

unsigned virtio_status(const struct virtio *v)
{
	return v->is_mmio ? *at32(v->base + 0x70) : *at8(v->base + 20);
}

void virtio_set_status(const struct virtio *v, uint8_t status)
{
	if (v->is_mmio)
		*at32(v->base + 0x70) = status;
	else
		*at8(v->base + 20) = status;
}

void virtio_begin(const struct virtio *v, uint32_t features)
{
	virtio_set_status(v, 0);
	virtio_set_status(v, DRIVER);
	set32(v, 0x14, 0, 0);
	set32(v, 0x24, 8, 0);
	set32(v, 0x20, 12, features & *at32(v->base + (v->is_mmio ? 0x10 : 4)));
	set32(v, 0x24, 8, 1);
	set32(v, 0x20, 12, VERSION_1);
	virtio_set_status(v, FEATURES);
}

static void set_address(const struct virtio *v, unsigned mmio, unsigned common, const void *p)
{
	set32(v, mmio, common, (uint32_t)(uintptr_t)p);
	set32(v, mmio + 4, common + 4, 0);
}

void virtio_turn_on(const struct virtio *v, unsigned queue, struct virtio_queue *q, uint16_t vector)
{
	q->available.index = q->used.index = 0;
	set16(v, 0x30, 22, (uint16_t)queue);
	set16(v, 0x38, 24, VIRTIO_QUEUE);
	set_address(v, 0x80, 32, q->table);
	set_address(v, 0x90, 40, &q->available);
	set_address(v, 0xa0, 48, &q->used);
	q->bell = v->notify;
	q->has_wide_bell = v->is_mmio;
	if (!v->is_mmio) {
		*at16(v->base + 26) = vector;
		q->bell += *at16(v->base + 30) * (uint64_t)v->multiplier;
	}
	set16(v, 0x44, 28, 1);
}

void virtio_ready(const struct virtio *v)
{
	virtio_set_status(v, READY);
}

bool virtio_is_on(const struct virtio *v, unsigned queue)
{
	set16(v, 0x30, 22, (uint16_t)queue);
	return v->is_mmio ? *at32(v->base + 0x44) : *at16(v->base + 28);
}

void virtio_put(struct virtio_queue *q, unsigned i, const volatile void *at, uint32_t bytes,
		uint16_t flags)
{
	q->table[i].addr = (uintptr_t)at;
	q->table[i].len = bytes;
	q->table[i].flags = flags;
	q->table[i].next = (uint16_t)(i + 1);
}

void virtio_offer(struct virtio_queue *q, unsigned queue, unsigned i)
{
	q->available.ring[q->available.index % VIRTIO_QUEUE] = (uint16_t)i;
	__atomic_store_n(&q->available.index, q->available.index + 1, __ATOMIC_SEQ_CST);
	if (q->has_wide_bell)
		*at32(q->bell) = queue;
	else
		*at16(q->bell) = (uint16_t)queue;
}
