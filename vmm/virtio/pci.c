/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/pci.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>

#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"
#include "vmm/virtio/device.h"

enum { BAR_STRUCTURES, BAR_MSIX };
/* Pages of BAR 0, one for each structure. */
enum { COMMON = 0x0000, ISR = 0x1000, CONFIG = 0x2000, NOTIFY = 0x3000, BAR_BYTES = 0x4000 };
enum { PAGE = 0x1000, COMMON_BYTES = 64, NOTIFY_STEP = 4 };
enum { VENDOR = 0x1af4, FIRST_DEVICE = 0x1040, SUBDEVICE = 0x1100, REVISION = 1 };
/* 4.1.4.5: reasons in the ISR status. */
enum { ISR_QUEUE = 1 << 0, ISR_CONFIG = 1 << 1 };

static struct virtio_pci *of(const struct virtio *v)
{
	return &((struct virtio_device *)v->vdev->state)->pci;
}

static struct virtio_pci *of_function(const struct pci_function *f)
{
	return &((struct virtio_device *)f->vdev->state)->pci;
}

/* --- interrupts --- */

/* 4.1.5.3, 4.1.5.4: a message where the guest has chosen one, INTA and the ISR status otherwise. */
static void interrupt(struct virtio_pci *p, uint16_t vector, uint8_t reason)
{
	if (pci_msix_is_on(&p->msix)) {
		if (vector != VIRTIO_MSI_NO_VECTOR)
			pci_msix_raise(&p->msix, vector);
		return;
	}
	p->isr |= reason;
	pci_function_interrupt(&p->function, true);
}

static void interrupt_queue(struct virtio *v, unsigned queue)
{
	interrupt(of(v), of(v)->vector[queue], ISR_QUEUE);
}

static void interrupt_config(struct virtio *v)
{
	interrupt(of(v), of(v)->config_vector, ISR_CONFIG);
}

static bool may_access(const struct virtio *v)
{
	return pci_function_is_master(&of(v)->function);
}

static uint8_t read_isr(struct virtio_pci *p)
{
	uint8_t isr = p->isr;

	p->isr = 0;
	pci_function_interrupt(&p->function, false);
	return isr;
}

/* --- the common configuration, 4.1.4.3 --- */

static struct virtq *selected(struct virtio_pci *p)
{
	return p->queue < p->virtio->kind->n_queues ? &p->virtio->queue[p->queue] : NULL;
}

static uint32_t read_queue(struct virtio_pci *p, unsigned offset)
{
	const struct virtq *q = selected(p);

	if (!q)
		return offset == VIRTIO_PCI_COMMON_Q_MSIX ? VIRTIO_MSI_NO_VECTOR : 0;
	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE: return q->size;
	case VIRTIO_PCI_COMMON_Q_MSIX: return p->vector[p->queue];
	case VIRTIO_PCI_COMMON_Q_ENABLE: return q->is_on;
	case VIRTIO_PCI_COMMON_Q_NOFF: return p->queue;
	case VIRTIO_PCI_COMMON_Q_DESCLO: return (uint32_t)q->desc;
	case VIRTIO_PCI_COMMON_Q_DESCHI: return (uint32_t)(q->desc >> 32);
	case VIRTIO_PCI_COMMON_Q_AVAILLO: return (uint32_t)q->driver;
	case VIRTIO_PCI_COMMON_Q_AVAILHI: return (uint32_t)(q->driver >> 32);
	case VIRTIO_PCI_COMMON_Q_USEDLO: return (uint32_t)q->device;
	case VIRTIO_PCI_COMMON_Q_USEDHI: return (uint32_t)(q->device >> 32);
	default: return 0;
	}
}

static uint32_t read_common(struct virtio_pci *p, unsigned offset)
{
	const struct virtio *v = p->virtio;

	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT: return p->offered_half;
	case VIRTIO_PCI_COMMON_DF:
		return p->offered_half > 1 ? 0 : (uint32_t)(v->offered >> 32 * p->offered_half);
	case VIRTIO_PCI_COMMON_GFSELECT: return p->accepted_half;
	case VIRTIO_PCI_COMMON_GF:
		return p->accepted_half > 1 ? 0 : (uint32_t)(v->accepted >> 32 * p->accepted_half);
	case VIRTIO_PCI_COMMON_MSIX: return p->config_vector;
	case VIRTIO_PCI_COMMON_NUMQ: return v->kind->n_queues;
	case VIRTIO_PCI_COMMON_STATUS: return v->status;
	case VIRTIO_PCI_COMMON_CFGGENERATION: return v->generation & 0xff;
	case VIRTIO_PCI_COMMON_Q_SELECT: return p->queue;
	default: return read_queue(p, offset);
	}
}

static void set_low(uint64_t *address, uint32_t value)
{
	*address = *address >> 32 << 32 | value;
}

static void set_high(uint64_t *address, uint32_t value)
{
	*address = (uint64_t)value << 32 | (uint32_t)*address;
}

static uint16_t checked_vector(const struct virtio_pci *p, uint32_t vector)
{
	return vector < p->msix.n ? (uint16_t)vector : VIRTIO_MSI_NO_VECTOR;
}

/* 4.1.4.3.2: what a queue in use is made of does not change. */
static void write_queue(struct virtio_pci *p, unsigned offset, uint32_t value)
{
	struct virtq *q = selected(p);

	if (!q)
		return;
	if (offset == VIRTIO_PCI_COMMON_Q_MSIX)
		p->vector[p->queue] = checked_vector(p, value);
	if (q->is_on)
		return;
	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE: q->size = (uint16_t)value; break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		if (value == 1)
			virtio_turn_on(p->virtio, p->queue);
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO: set_low(&q->desc, value); break;
	case VIRTIO_PCI_COMMON_Q_DESCHI: set_high(&q->desc, value); break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO: set_low(&q->driver, value); break;
	case VIRTIO_PCI_COMMON_Q_AVAILHI: set_high(&q->driver, value); break;
	case VIRTIO_PCI_COMMON_Q_USEDLO: set_low(&q->device, value); break;
	case VIRTIO_PCI_COMMON_Q_USEDHI: set_high(&q->device, value); break;
	default: break;
	}
}

/* The transport's part of a reset, 4.1.4.3.1: vectors and selections. */
static void forget(struct virtio_pci *p)
{
	p->queue = 0;
	p->offered_half = p->accepted_half = 0;
	p->config_vector = VIRTIO_MSI_NO_VECTOR;
	for (unsigned q = 0; q < VIRTIO_QUEUES; q++)
		p->vector[q] = VIRTIO_MSI_NO_VECTOR;
	read_isr(p);
}

static void write_common(struct virtio_pci *p, unsigned offset, uint32_t value)
{
	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT: p->offered_half = value; break;
	case VIRTIO_PCI_COMMON_GFSELECT: p->accepted_half = value; break;
	case VIRTIO_PCI_COMMON_GF: virtio_accept(p->virtio, p->accepted_half, value); break;
	case VIRTIO_PCI_COMMON_MSIX: p->config_vector = checked_vector(p, value); break;
	case VIRTIO_PCI_COMMON_STATUS:
		virtio_write_status(p->virtio, (uint8_t)value);
		if ((uint8_t)value == 0)
			forget(p);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT: p->queue = (uint16_t)value; break;
	default: write_queue(p, offset, value); break;
	}
}

/* --- BAR 0 --- */

static uint64_t mask(unsigned width)
{
	return width == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * width) - 1;
}

/* 4.1.3.1: fields are accessed in their own width, 64-bit ones in halves. */
static uint64_t read_structures(struct virtio_pci *p, uint64_t offset, unsigned width)
{
	unsigned at = (unsigned)(offset % PAGE);
	uint64_t value = 0;

	switch (offset - at) {
	case COMMON:
		value = read_common(p, at);
		if (width == 8)
			value |= (uint64_t)read_common(p, at + 4) << 32;
		break;
	case ISR:
		if (at == 0)
			value = read_isr(p);
		break;
	case CONFIG: value = virtio_config_read(p->virtio, at, width); break;
	default: break; /* notifications are written */
	}
	return value & mask(width);
}

static void write_structures(struct virtio_pci *p, uint64_t offset, unsigned width, uint64_t value)
{
	unsigned at = (unsigned)(offset % PAGE);

	if (offset - at == COMMON) {
		write_common(p, at, (uint32_t)value);
		if (width == 8)
			write_common(p, at + 4, (uint32_t)(value >> 32));
	} else if (offset - at == CONFIG) {
		virtio_config_write(p->virtio, at, width, value);
	} else if (offset - at == NOTIFY && at % NOTIFY_STEP == 0) {
		virtio_notify(p->virtio, at / NOTIFY_STEP);
	}
}

uint64_t virtio_pci_read(struct virtio_pci *p, unsigned bar, uint64_t offset, unsigned width)
{
	return bar == BAR_MSIX ? pci_msix_read(&p->msix, offset, width)
			       : read_structures(p, offset, width);
}

void virtio_pci_write(struct virtio_pci *p, unsigned bar, uint64_t offset, unsigned width,
		      uint64_t value)
{
	if (bar == BAR_MSIX)
		pci_msix_write(&p->msix, offset, width, value);
	else
		write_structures(p, offset, width, value);
}

/* --- the window of 4.1.4.9: BAR 0 through the configuration space --- */

enum { WINDOW_DATA = sizeof(struct virtio_pci_cap) };

/* True if the guest has set it to a place in BAR 0. */
static bool window(struct virtio_pci *p, unsigned offset, uint32_t *ret_at, uint32_t *ret_width)
{
	const struct pci_function *f = &p->function;
	unsigned c = p->window;

	*ret_at = pci_function_get(f, c + offsetof(struct virtio_pci_cap, offset), 4);
	*ret_width = pci_function_get(f, c + offsetof(struct virtio_pci_cap, length), 4);
	return offset == c + WINDOW_DATA &&
	       pci_function_get(f, c + offsetof(struct virtio_pci_cap, bar), 1) == BAR_STRUCTURES &&
	       (*ret_width == 1 || *ret_width == 2 || *ret_width == 4) &&
	       *ret_at % *ret_width == 0 && *ret_at < BAR_BYTES;
}

static void before_read(struct pci_function *f, unsigned offset, unsigned width)
{
	struct virtio_pci *p = of_function(f);
	uint32_t at, length;

	(void)width;
	if (window(p, offset, &at, &length))
		pci_function_set(f, offset, 4, (uint32_t)read_structures(p, at, length));
}

static void after_write(struct pci_function *f, unsigned offset, unsigned width)
{
	struct virtio_pci *p = of_function(f);
	uint32_t at, length;

	(void)width;
	if (window(p, offset, &at, &length))
		write_structures(p, at, length, pci_function_get(f, offset, 4) & mask(length));
	pci_msix_update(&p->msix);
}

/* --- its making --- */

/* The bridge tells where the guest reaches BAR 0: KVM watches the notifications there. */
static void placed(struct pci_function *f, unsigned bar, uint64_t at)
{
	struct virtio_pci *p = of_function(f);
	const struct virtio_device *x = f->vdev->state;
	struct machine *m = f->vdev->machine;

	(void)bar;
	for (unsigned q = 0; q < p->virtio->kind->n_queues; q++) {
		uint64_t offset = NOTIFY + q * NOTIFY_STEP;

		if (p->notify_at)
			machine_doorbell(m, p->notify_at + offset, NULL, x->doorbell[q], false);
		if (at)
			machine_doorbell(m, at + offset, NULL, x->doorbell[q], true);
	}
	p->notify_at = at;
}

void virtio_pci_watch(struct virtio_pci *p)
{
	p->function.watched_bars = 1u << BAR_STRUCTURES;
	p->function.placed = placed;
}

static uint8_t add_structure(struct pci_function *f, uint8_t type, unsigned extra, uint32_t at,
			     uint32_t bytes)
{
	unsigned n = sizeof(struct virtio_pci_cap) + extra;
	uint8_t c = pci_function_add_capability(f, PCI_CAP_ID_VNDR, n);

	pci_function_set(f, c + offsetof(struct virtio_pci_cap, cap_len), 1, n);
	pci_function_set(f, c + offsetof(struct virtio_pci_cap, cfg_type), 1, type);
	pci_function_set(f, c + offsetof(struct virtio_pci_cap, bar), 1, BAR_STRUCTURES);
	pci_function_set(f, c + offsetof(struct virtio_pci_cap, offset), 4, at);
	pci_function_set(f, c + offsetof(struct virtio_pci_cap, length), 4, bytes);
	return c;
}

static void add_window(struct virtio_pci *p)
{
	struct pci_function *f = &p->function;

	p->window = add_structure(f, VIRTIO_PCI_CAP_PCI_CFG, 4, 0, 0);
	pci_function_permit(f, p->window + offsetof(struct virtio_pci_cap, bar), 1, 0xff);
	pci_function_permit(f, p->window + offsetof(struct virtio_pci_cap, offset), 4, UINT32_MAX);
	pci_function_permit(f, p->window + offsetof(struct virtio_pci_cap, length), 4, UINT32_MAX);
	pci_function_permit(f, p->window + WINDOW_DATA, 4, UINT32_MAX);
	f->before_read = before_read;
	f->after_write = after_write;
}

void virtio_pci_assemble(struct virtio_pci *p, struct virtio *v)
{
	const struct virtio_kind *kind = v->kind;
	struct pci_function *f = &p->function;
	struct pci_id id = {.vendor = VENDOR,
			    .device = (uint16_t)(FIRST_DEVICE + kind->id),
			    .subvendor = VENDOR,
			    .subdevice = SUBDEVICE,
			    .class = kind->pci_class,
			    .revision = REVISION};
	uint8_t notify;

	pci_function_init(f, v->vdev, &id);
	pci_function_enliven(f);
	pci_function_add_bar(f, BAR_STRUCTURES, BAR_BYTES);
	add_structure(f, VIRTIO_PCI_CAP_COMMON_CFG, 0, COMMON, COMMON_BYTES);
	add_structure(f, VIRTIO_PCI_CAP_ISR_CFG, 0, ISR, 1);
	add_structure(f, VIRTIO_PCI_CAP_DEVICE_CFG, 0, CONFIG, VIRTIO_CONFIG);
	notify =
		add_structure(f, VIRTIO_PCI_CAP_NOTIFY_CFG, 4, NOTIFY, VIRTIO_QUEUES * NOTIFY_STEP);
	pci_function_set(f, notify + sizeof(struct virtio_pci_cap), 4, NOTIFY_STEP);
	add_window(p);
	pci_msix_init(&p->msix, f, BAR_MSIX, kind->n_queues + 1);
	p->virtio = v;
	v->interrupt = interrupt_queue;
	v->interrupt_config = interrupt_config;
	v->may_access = may_access;
	forget(p);
	v->vdev->pci = f;
}
