/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-blk behind its PCI transport, with a driver that keeps the rules and one that does not. */
#include <linux/pci_regs.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"
#include "vmm/pci/function.h"

enum { TABLE = 0x1000, AVAILABLE = 0x2000, USED = 0x3000, HEAD = 0x4000, STATUS = 0x4100 };
enum { DATA = 0x5000, MEMORY = 0x10000, SECTORS = 16, NOTIFY = 0x3000, UNTOUCHED = 0xee };

struct disk {
	struct vdev_bench b;
	_Alignas(4096) uint8_t memory[MEMORY];
};

static void access_bar(struct disk *k, uint64_t offset, unsigned width, uint64_t value)
{
	struct vdev *d = k->b.vdev;

	pthread_mutex_lock(&d->lock);
	d->class->write(d, 0, offset, width, value);
	pthread_mutex_unlock(&d->lock);
}

static uint8_t status(struct disk *k)
{
	struct vdev *d = k->b.vdev;
	uint64_t value;

	pthread_mutex_lock(&d->lock);
	value = d->class->read(d, 0, VIRTIO_PCI_COMMON_STATUS, 1);
	pthread_mutex_unlock(&d->lock);
	return (uint8_t)value;
}

static void bring_up(struct disk *k)
{
	memset(k->memory, 0, sizeof k->memory);
	access_bar(k, VIRTIO_PCI_COMMON_STATUS, 1, 3);
	access_bar(k, VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	access_bar(k, VIRTIO_PCI_COMMON_GF, 4, 1);
	access_bar(k, VIRTIO_PCI_COMMON_STATUS, 1, 11);
	access_bar(k, VIRTIO_PCI_COMMON_Q_SIZE, 2, 8);
	access_bar(k, VIRTIO_PCI_COMMON_Q_DESCLO, 8, TABLE);
	access_bar(k, VIRTIO_PCI_COMMON_Q_AVAILLO, 8, AVAILABLE);
	access_bar(k, VIRTIO_PCI_COMMON_Q_USEDLO, 8, USED);
	access_bar(k, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	access_bar(k, VIRTIO_PCI_COMMON_STATUS, 1, 15);
}

/* A disk of SECTORS sectors, each full of its number. */
static void set_up(struct disk *k, const char *hostdev)
{
	uint8_t sector[512];
	struct err e;
	int fd = memfd_create("disk", MFD_CLOEXEC);

	for (unsigned i = 0; i < SECTORS; i++) {
		memset(sector, (int)i, sizeof sector);
		assert_int_equal(write(fd, sector, sizeof sector), sizeof sector);
	}
	vdev_bench_make(&k->b, "virtio-blk");
	k->b.memory = k->memory;
	k->b.memory_bytes = MEMORY;
	assert_int_equal(vdev_bench_option(&k->b, "hostdev", hostdev, &e), 0);
	k->b.vdev->want[0].fd = fd; /* the vdev's to close */
	vdev_bench_assemble(&k->b);
	pci_function_write(k->b.vdev->pci, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	bring_up(k);
}

static void put(struct disk *k, unsigned i, uint64_t addr, uint32_t len, uint16_t flags)
{
	struct vring_desc desc = {addr, len, flags, (uint16_t)(i + 1)};

	memcpy(k->memory + TABLE + i * sizeof desc, &desc, sizeof desc);
}

static uint16_t index_at(struct disk *k, uint64_t at)
{
	return __atomic_load_n((uint16_t *)(void *)(k->memory + at), __ATOMIC_ACQUIRE);
}

/* Make the chain at 0 available, and wait until the device is done with it or has broken. */
static void submit(struct disk *k)
{
	uint16_t n = index_at(k, AVAILABLE + 2);

	memset(k->memory + AVAILABLE + 4 + 2u * (n % 8), 0, 2);
	k->memory[STATUS] = UNTOUCHED;
	__atomic_store_n((uint16_t *)(void *)(k->memory + AVAILABLE + 2), (uint16_t)(n + 1),
			 __ATOMIC_RELEASE);
	access_bar(k, NOTIFY, 2, 0);
	while (index_at(k, USED + 2) == n && !(status(k) & VIRTIO_CONFIG_S_NEEDS_RESET))
		sched_yield();
}

/* One request of the usual form; returns its status byte. */
static uint8_t request(struct disk *k, uint32_t type, uint64_t sector, uint32_t bytes)
{
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} head = {type, 0, sector};

	memcpy(k->memory + HEAD, &head, sizeof head);
	put(k, 0, HEAD, sizeof head, VRING_DESC_F_NEXT);
	put(k, 1, DATA, bytes,
	    VRING_DESC_F_NEXT | (type == VIRTIO_BLK_T_OUT ? 0 : VRING_DESC_F_WRITE));
	put(k, 2, STATUS, 1, VRING_DESC_F_WRITE);
	submit(k);
	return k->memory[STATUS];
}

TEST(blk_reads_writes_flushes_and_tells_its_name)
{
	static struct disk k;
	uint8_t sector[512];

	set_up(&k, "disk.img");
	assert_int_equal(request(&k, VIRTIO_BLK_T_IN, 3, 1024), VIRTIO_BLK_S_OK);
	assert_int_equal(k.memory[DATA], 3);
	assert_int_equal(k.memory[DATA + 1023], 4);
	memset(k.memory + DATA, 0xab, 512);
	assert_int_equal(request(&k, VIRTIO_BLK_T_OUT, SECTORS - 1, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(pread(k.b.vdev->want[0].fd, sector, 512, (SECTORS - 1) * 512), 512);
	assert_int_equal(sector[511], 0xab);
	assert_int_equal(request(&k, VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
	assert_int_equal(request(&k, VIRTIO_BLK_T_GET_ID, 0, 20), VIRTIO_BLK_S_OK);
	assert_string_equal((char *)k.memory + DATA, "virtio-blk");
	k.b.vdev->class->stop(k.b.vdev);
	vdev_bench_close(&k.b);
}

TEST(blk_refuses_what_is_beyond_its_end_or_no_whole_sector)
{
	static struct disk k;

	set_up(&k, "disk.img");
	assert_int_equal(request(&k, VIRTIO_BLK_T_IN, SECTORS, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(&k, VIRTIO_BLK_T_IN, SECTORS - 1, 1024), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(&k, VIRTIO_BLK_T_OUT, UINT64_MAX, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(&k, VIRTIO_BLK_T_OUT, UINT64_MAX / 512, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(&k, VIRTIO_BLK_T_IN, 0, 511), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(&k, VIRTIO_BLK_T_GET_ID, 0, 19), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(&k, 77, 0, 512), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(lseek(k.b.vdev->want[0].fd, 0, SEEK_END), SECTORS * 512);
	vdev_bench_close(&k.b);
}

TEST(blk_that_is_read_only_takes_no_write)
{
	static struct disk k;

	set_up(&k, "<disk.img");
	assert_int_equal(request(&k, VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(&k, VIRTIO_BLK_T_IN, 5, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(k.memory[DATA], 5);
	vdev_bench_close(&k.b);
}

TEST(blk_needs_a_reset_after_a_request_without_head_or_status_and_works_after_it)
{
	static struct disk k;

	set_up(&k, "disk.img");
	put(&k, 0, HEAD, 15, VRING_DESC_F_NEXT);
	put(&k, 1, STATUS, 1, VRING_DESC_F_WRITE);
	submit(&k);
	assert_true(status(&k) & VIRTIO_CONFIG_S_NEEDS_RESET);
	access_bar(&k, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	assert_int_equal(status(&k), 0);
	bring_up(&k);
	put(&k, 0, HEAD, 16, 0);
	submit(&k);
	assert_true(status(&k) & VIRTIO_CONFIG_S_NEEDS_RESET);
	access_bar(&k, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	bring_up(&k);
	assert_int_equal(request(&k, VIRTIO_BLK_T_IN, 9, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(k.memory[DATA + 511], 9);
	vdev_bench_close(&k.b);
}

TEST(blk_reads_nothing_of_a_guest_that_has_not_made_it_a_bus_master)
{
	static struct disk k;

	set_up(&k, "disk.img");
	pthread_mutex_lock(&k.b.vdev->lock);
	pci_function_write(k.b.vdev->pci, PCI_COMMAND, 2, 0);
	pthread_mutex_unlock(&k.b.vdev->lock);
	k.memory[AVAILABLE + 2] = 9; /* a fault, if anybody looked */
	access_bar(&k, NOTIFY, 2, 0);
	access_bar(&k, VIRTIO_PCI_COMMON_STATUS, 1, 15);
	k.b.vdev->class->stop(k.b.vdev);
	assert_int_equal(status(&k), 15);
	vdev_bench_close(&k.b);
}
