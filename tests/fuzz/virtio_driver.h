/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio_driver.h - a hostile driver against one virtio device, over PCI and over MMIO. The whole of it
 * is here, for the one file of a target: fuzz_virtio_NAME.c, which has two definitions
 *
 *	const char driver_class[] = "virtio-NAME";
 *	void driver_prepare(struct vdev *d) { ... }	// options and granted fds; may be empty
 *
 * and includes this and "vmm/vdev/vdev.h". Corpus in corpus/virtio_NAME/, see tests/fuzz/rules.mk.
 *
 * Input: a byte, odd = MMIO, then steps of 8 bytes: what, a, b, width, value (4 bytes).
 */
#pragma once

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "schemas/cause.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/function.h"
#include "vmm/virtio/device.h"

/* Each queue has a table, rings and a heap in its own part of RAM; the last page is ROM. */
enum { RAM = 0x20000, ROM = 0x1000, PART = RAM / VIRTIO_QUEUES };
enum { TABLE = 0, AVAILABLE = 0x1000, USED = 0x1800, HEAP = 0x2000, DESCRIPTOR = 16 };
enum { STEP = 8, SIZE = 16, COMMON_STATUS = 20, MMIO_STATUS = 0x70, PATIENCE = 50 };
enum what { READ, WRITE, POKE, NOTIFY, SUBMIT, BRING_UP, CONFIG, RESET, WHATS };

struct machine {
	struct blackbox_vdev counters;
};

/* Of the file of the target. */
extern const char driver_class[];
void driver_prepare(struct vdev *d);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static _Alignas(4096) uint8_t memory[RAM + ROM];

/* --- the machine --- */

void *machine_memory(struct machine *m, uint64_t gpa, uint64_t bytes)
{
	(void)m;
	return gpa < sizeof memory && bytes <= sizeof memory - gpa ? memory + gpa : NULL;
}

void *machine_ram(struct machine *m, uint64_t gpa, uint64_t bytes)
{
	(void)m;
	return gpa < RAM && bytes <= RAM - gpa ? memory + gpa : NULL;
}

struct blackbox_vdev *machine_counters(struct machine *m, const struct vdev *d)
{
	(void)d;
	return &m->counters;
}

uint64_t machine_ram_from(struct machine *m, uint64_t gpa)
{
	(void)m;
	return gpa < sizeof memory ? sizeof memory - gpa : 0;
}

static void quiet(const struct log_line *l)
{
	(void)l;
}

/* --- the driver --- */

static void put(struct vdev *d, uint64_t offset, unsigned width, uint64_t value)
{
	pthread_mutex_lock(&d->lock);
	d->class->write(d, 0, offset, width, value);
	pthread_mutex_unlock(&d->lock);
}

/* As the board does it: inside a BAR or the region. */
static void access_device(struct vdev *d, const uint8_t *s, uint32_t value)
{
	unsigned width = 1u << s[3] % 4, bar = vdev_is_function(d) ? s[1] >> 7 : 0;
	uint64_t offset = (s[1] & 0x7f) * UINT64_C(256) + s[2], got;
	uint64_t bytes = vdev_is_function(d) ? d->pci->bar_bytes[bar] : d->region[0].bytes;

	offset %= bytes;
	if (offset + width > bytes)
		return;
	pthread_mutex_lock(&d->lock);
	if (s[0] % WHATS == WRITE) {
		d->class->write(d, bar, offset, width, value);
	} else {
		got = d->class->read(d, bar, offset, width);
		if (width < 8 && got >> (8 * width))
			abort(); /* more than was asked for */
	}
	pthread_mutex_unlock(&d->lock);
}

/* Into the rings, wherever they are, in any order with the device. */
static void poke(const uint8_t *s, uint32_t value)
{
	uint32_t at = (s[1] * UINT32_C(256) + s[2]) * 4 % RAM;

	__atomic_store_n((uint32_t *)(void *)(memory + at), value, __ATOMIC_RELAXED);
}

static void notify(struct vdev *d, unsigned queue)
{
	const uint8_t *part = memory + queue % VIRTIO_QUEUES * PART;

	if (vdev_is_function(d))
		put(d, 0x3000 + queue % VIRTIO_QUEUES * 4, 2, queue);
	else
		put(d, 0x50, 4, queue);
	/* Somebody types, and its time comes. */
	vdev_input(d, part, queue);
	pthread_mutex_lock(&d->lock);
	if (d->class->alarm && d->alarm_ns) {
		d->alarm_ns = 0;
		d->class->alarm(d, 0);
	}
	pthread_mutex_unlock(&d->lock);
	/* A device with threads gets a moment to look. */
	for (unsigned i = 0;
	     i < PATIENCE && __atomic_load_n(part + USED + 2, __ATOMIC_ACQUIRE) !=
				     __atomic_load_n(part + AVAILABLE + 2, __ATOMIC_ACQUIRE);
	     i++)
		sched_yield();
}

/* One more descriptor, then offer a chain that begins at it: with a flag to go on at the one before, a
 * sound chain, a cycle or an over-long one comes out. */
static void submit(const uint8_t *s, uint32_t value)
{
	uint8_t *part = memory + s[1] % VIRTIO_QUEUES * PART;
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} desc = {(uint64_t)(s[1] % VIRTIO_QUEUES) * PART + HEAP + value % 0x1f00, value >> 16,
		  s[3] & 7, s[3] >> 3 & 15};
	uint16_t *index = (uint16_t *)(void *)(part + AVAILABLE + 2);

	if (s[3] & 0x80)
		desc.addr = (uint64_t)value << (s[2] & 31); /* anywhere: outside, ROM, wrapping */
	memcpy(part + TABLE + s[2] % SIZE * DESCRIPTOR, &desc, sizeof desc);
	if (s[1] & 0x80)
		return; /* part of a chain that comes later */
	part[AVAILABLE + 4 + *index % SIZE * 2] = s[2] % SIZE;
	part[AVAILABLE + 4 + *index % SIZE * 2 + 1] = 0;
	__atomic_store_n(index, (uint16_t)(*index + 1), __ATOMIC_RELEASE);
}

static void set_address(struct vdev *d, uint64_t mmio, uint64_t common, uint64_t gpa)
{
	uint64_t at = vdev_is_function(d) ? common : mmio;

	put(d, at, 4, (uint32_t)gpa);
	put(d, at + 4, 4, gpa >> 32);
}

static void turn_on(struct vdev *d, unsigned queue, uint16_t size)
{
	bool is_pci = vdev_is_function(d);
	uint64_t part = queue * (uint64_t)PART;

	put(d, is_pci ? 22 : 0x30, is_pci ? 2 : 4, queue);
	put(d, is_pci ? 24 : 0x38, is_pci ? 2 : 4, size);
	set_address(d, 0x80, 32, part + TABLE);
	set_address(d, 0x90, 40, part + AVAILABLE);
	set_address(d, 0xa0, 48, part + USED);
	if (is_pci)
		put(d, 26, 2, queue); /* its message */
	put(d, is_pci ? 28 : 0x44, is_pci ? 2 : 4, 1);
}

/* As a driver that keeps the rules would, but for the features and, rarely, the size. */
static void bring_up(struct vdev *d, const uint8_t *s, uint32_t features)
{
	const struct virtio *v = &((struct virtio_device *)d->state)->virtio;
	bool is_pci = vdev_is_function(d);
	uint64_t status = is_pci ? COMMON_STATUS : MMIO_STATUS;

	if (is_pci)
		pci_function_write(d->pci, 4, 2, 6); /* it decodes, it is a master */
	put(d, status, is_pci ? 1 : 4, 0);
	put(d, status, is_pci ? 1 : 4, 3);
	for (unsigned half = 0; half < 2; half++) {
		uint32_t offered = (uint32_t)(v->offered >> 32 * half);

		put(d, is_pci ? 8 : 0x24, 4, half);
		put(d, is_pci ? 12 : 0x20, 4, half ? offered : offered & features);
	}
	put(d, status, is_pci ? 1 : 4, 11);
	for (unsigned q = 0; q < v->kind->n_queues; q++)
		turn_on(d, q, s[1] == 0xff ? s[2] : SIZE);
	put(d, status, is_pci ? 1 : 4, 15);
}

static void step(struct vdev *d, const uint8_t *s)
{
	uint32_t value;

	memcpy(&value, s + 4, sizeof value);
	switch (s[0] % WHATS) {
	case READ:
	case WRITE: access_device(d, s, value); break;
	case POKE: poke(s, value); break;
	case NOTIFY: notify(d, s[1]); break;
	case SUBMIT: submit(s, value); break;
	case BRING_UP: bring_up(d, s, value); break;
	case CONFIG:
		if (!vdev_is_function(d) || s[1] > PCI_CONFIG - 4)
			break;
		pthread_mutex_lock(&d->lock);
		pci_function_write(d->pci, s[1], 4, value);
		pthread_mutex_unlock(&d->lock);
		if (d->pci->placed && s[2] & 1) { /* as the bridge does when it has moved */
			pthread_mutex_lock(&d->lock);
			d->pci->placed(d->pci, 0, value & ~UINT32_C(0x3fff));
			pthread_mutex_unlock(&d->lock);
		}
		break;
	case RESET:
		put(d, vdev_is_function(d) ? COMMON_STATUS : MMIO_STATUS,
		    vdev_is_function(d) ? 1 : 4, 0);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct machine m = {0};
	struct vdev *d;
	struct err e;

	if (n < 1 + STEP)
		return 0;
	log_open("fuzz", quiet, 0);
	memset(memory, 0, sizeof memory);
	d = vdev_new(vdev_class_find(driver_class), 1);
	d->machine = &m;
	if (data[0] & 1) {
		d->region[0] =
			(struct vdev_region){VDEV_MEM, 0xd0000000, d->class->mmio_bytes, false};
		d->n_regions = 1;
		d->intr = 5;
	}
	driver_prepare(d);
	if ((d->class->check && d->class->check(d, &e) < 0) || d->class->assemble(d, &m, &e) < 0)
		abort(); /* driver_prepare() has not given it what it needs */
	if (d->class->start)
		d->class->start(d);
	for (size_t at = 1; at + STEP <= n; at += STEP)
		step(d, data + at);
	if (d->class->stop)
		d->class->stop(d);
	vdev_free(d);
	return 0;
}
