/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio_bench.h - a virtio device behind its PCI transport on a bench, with a driver that keeps the
 * rules: queues of 8 descriptors, requests of one part. Guest memory is a memfd of 256 KiB, its first
 * half for the queues.
 */
#pragma once

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"
#include "vmm/pci/function.h"

enum { VB_MEMORY = 0x40000, VB_HEAP = 0x20000, VB_PART = 0x4000, VB_SIZE = 8 };
enum {
	VB_TABLE = 0,
	VB_AVAILABLE = 0x1000,
	VB_USED = 0x2000,
	VB_NOTIFY = 0x3000,
	VB_CONFIG = 0x2000
};

struct virtio_bench {
	struct vdev_bench b;
	uint8_t *memory;
	int fd;
};

static inline void vb_write(struct virtio_bench *k, uint64_t offset, unsigned width, uint64_t value)
{
	struct vdev *d = k->b.vdev;

	pthread_mutex_lock(&d->lock);
	d->class->write(d, 0, offset, width, value);
	pthread_mutex_unlock(&d->lock);
}

static inline uint64_t vb_read(struct virtio_bench *k, uint64_t offset, unsigned width)
{
	struct vdev *d = k->b.vdev;
	uint64_t value;

	pthread_mutex_lock(&d->lock);
	value = d->class->read(d, 0, offset, width);
	pthread_mutex_unlock(&d->lock);
	return value;
}

static inline void vb_make(struct virtio_bench *k, const char *class_name)
{
	k->fd = memfd_create("guest", MFD_CLOEXEC);
	assert_int_equal(ftruncate(k->fd, VB_MEMORY), 0);
	k->memory = mmap(NULL, VB_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, k->fd, 0);
	assert_ptr_not_equal(k->memory, MAP_FAILED);
	vdev_bench_make(&k->b, class_name);
	k->b.memory = k->memory;
	k->b.memory_bytes = VB_MEMORY;
}

static inline void vb_turn_on(struct virtio_bench *k, unsigned queue)
{
	uint64_t part = queue * (uint64_t)VB_PART;

	vb_write(k, VIRTIO_PCI_COMMON_Q_SELECT, 2, queue);
	vb_write(k, VIRTIO_PCI_COMMON_Q_SIZE, 2, VB_SIZE);
	vb_write(k, VIRTIO_PCI_COMMON_Q_DESCLO, 8, part + VB_TABLE);
	vb_write(k, VIRTIO_PCI_COMMON_Q_AVAILLO, 8, part + VB_AVAILABLE);
	vb_write(k, VIRTIO_PCI_COMMON_Q_USEDLO, 8, part + VB_USED);
	vb_write(k, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
}

/* Assemble, and bring the driver up with those features and queues. */
static inline void vb_bring_up(struct virtio_bench *k, uint32_t features, unsigned n_queues)
{
	vdev_bench_assemble(&k->b);
	pci_function_write(k->b.vdev->pci, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	vb_write(k, VIRTIO_PCI_COMMON_STATUS, 1, 3);
	vb_write(k, VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	vb_write(k, VIRTIO_PCI_COMMON_GF, 4, features);
	vb_write(k, VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	vb_write(k, VIRTIO_PCI_COMMON_GF, 4, 1);
	vb_write(k, VIRTIO_PCI_COMMON_STATUS, 1, 11);
	for (unsigned q = 0; q < n_queues; q++)
		vb_turn_on(k, q);
	vb_write(k, VIRTIO_PCI_COMMON_STATUS, 1, 15);
	assert_int_equal(vb_read(k, VIRTIO_PCI_COMMON_STATUS, 1), 15);
}

/* Offer one descriptor with these flags. Returns its place in the ring. */
static inline uint16_t vb_offer_as(struct virtio_bench *k, unsigned queue, uint64_t gpa,
				   uint32_t bytes, uint16_t flags)
{
	uint8_t *part = k->memory + (size_t)queue * VB_PART;
	uint16_t *index = (uint16_t *)(void *)(part + VB_AVAILABLE + 2), n = *index;
	struct vring_desc desc = {gpa, bytes, flags, 0};

	memcpy(part + VB_TABLE + n % VB_SIZE * sizeof desc, &desc, sizeof desc);
	part[VB_AVAILABLE + 4 + n % VB_SIZE * 2] = (uint8_t)(n % VB_SIZE);
	part[VB_AVAILABLE + 5 + n % VB_SIZE * 2] = 0;
	__atomic_store_n(index, (uint16_t)(n + 1), __ATOMIC_RELEASE);
	vb_write(k, VB_NOTIFY + queue * 4, 2, queue);
	return n;
}

/* Offer one buffer: of the device to write to, or to read. */
static inline uint16_t vb_offer(struct virtio_bench *k, unsigned queue, uint64_t gpa,
				uint32_t bytes, bool is_writable)
{
	return vb_offer_as(k, queue, gpa, bytes, is_writable ? VRING_DESC_F_WRITE : 0);
}

static inline uint16_t vb_used(struct virtio_bench *k, unsigned queue)
{
	return __atomic_load_n(
		(uint16_t *)(void *)(k->memory + (size_t)queue * VB_PART + VB_USED + 2),
		__ATOMIC_ACQUIRE);
}

/* Bytes that the device says it has written to the buffer at that place of the ring. */
static inline uint32_t vb_written(struct virtio_bench *k, unsigned queue, uint16_t n)
{
	struct vring_used_elem e;

	memcpy(&e, k->memory + (size_t)queue * VB_PART + VB_USED + 4 + n % VB_SIZE * sizeof e,
	       sizeof e);
	return e.len;
}

static inline void vb_close(struct virtio_bench *k)
{
	if (k->b.vdev->class->stop)
		k->b.vdev->class->stop(k->b.vdev);
	vdev_bench_close(&k->b);
	munmap(k->memory, VB_MEMORY);
	close(k->fd);
}
