/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/volume.h"

#include <linux/virtio_blk.h>
#include <string.h>

#include "base/blackbox.h"

/* 5.2.6: what each request begins with. */
struct head {
	uint32_t type, reserved;
	uint64_t sector;
};

_Static_assert(sizeof(struct head) == 16 && sizeof(struct virtio_blk_discard_write_zeroes) == 16,
	       "shared with the guest");

/* One request on its way. */
struct work {
	struct volume *volume;
	const struct virtq_chain *chain;
	bool is_through;
};

/* The parts of a request's data: without the head, or without the status byte. */
static unsigned data_parts(const struct virtq_chain *c, bool is_write, struct iovec *ret)
{
	unsigned n = is_write ? c->n_out : c->n_in;
	size_t head = sizeof(struct head);

	memcpy(ret, c->part + (is_write ? 0 : c->n_out), n * sizeof *ret);
	if (!is_write) {
		while (n && ret[n - 1].iov_len == 0)
			n--;
		ret[n - 1].iov_len--;
		return n;
	}
	for (unsigned i = 0; i < n && head; i++) {
		size_t step = ret[i].iov_len < head ? ret[i].iov_len : head;

		ret[i].iov_base = (uint8_t *)ret[i].iov_base + step;
		ret[i].iov_len -= step;
		head -= step;
	}
	return n;
}

static bool is_inside(const struct volume *u, uint64_t sector, uint64_t n)
{
	uint64_t sectors = u->backing.bytes / VOLUME_SECTOR;

	return sector <= sectors && n <= sectors - sector;
}

static uint8_t move(const struct work *x, const struct head *h, bool is_write, size_t *ret_written)
{
	struct volume *u = x->volume;
	size_t bytes = is_write ? x->chain->out_bytes - sizeof *h : x->chain->in_bytes - 1;
	struct iovec part[VIRTQ_MOST];
	unsigned n;

	if (bytes % VOLUME_SECTOR || !is_inside(u, h->sector, bytes / VOLUME_SECTOR) ||
	    (is_write && u->is_read_only))
		return VIRTIO_BLK_S_IOERR;
	n = data_parts(x->chain, is_write, part);
	if (backing_transfer(&u->backing, part, n, h->sector * VOLUME_SECTOR, is_write) < 0 ||
	    (is_write && x->is_through && backing_flush(&u->backing) < 0))
		return VIRTIO_BLK_S_IOERR;
	if (!is_write)
		*ret_written = bytes;
	*(is_write ? &u->counters->bytes_out : &u->counters->bytes_in) += bytes;
	return VIRTIO_BLK_S_OK;
}

/* 5.2.6.2: 20 bytes, padded with zeroes. */
static uint8_t identify(const struct work *x, size_t *ret_written)
{
	char name[VIRTIO_BLK_ID_BYTES] = {0};
	size_t n = strlen(x->volume->name);

	if (x->chain->in_bytes - 1 < sizeof name)
		return VIRTIO_BLK_S_IOERR;
	memcpy(name, x->volume->name, n < sizeof name ? n : sizeof name);
	*ret_written = virtq_write(x->chain, 0, name, sizeof name);
	return VIRTIO_BLK_S_OK;
}

/* All of the ranges are judged before one is touched. */
static uint8_t check_ranges(const struct volume *u, const struct virtio_blk_discard_write_zeroes *r,
			    size_t n, bool is_zero)
{
	for (size_t i = 0; i < n; i++) {
		if (r[i].flags & ~(is_zero ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0u))
			return VIRTIO_BLK_S_UNSUPP; /* 5.2.6.2 */
		if (!is_inside(u, r[i].sector, r[i].num_sectors) ||
		    r[i].num_sectors > (is_zero ? VOLUME_ZERO_SECTORS : VOLUME_DISCARD_SECTORS))
			return VIRTIO_BLK_S_IOERR;
	}
	return VIRTIO_BLK_S_OK;
}

/* Discard, or write zeroes. */
static uint8_t clear(const struct work *x, bool is_zero)
{
	struct volume *u = x->volume;
	struct virtio_blk_discard_write_zeroes range[VOLUME_RANGES];
	size_t bytes = x->chain->out_bytes - sizeof(struct head), n = bytes / sizeof range[0];
	uint8_t status;

	if (u->is_read_only || n == 0 || n > VOLUME_RANGES || bytes % sizeof range[0])
		return VIRTIO_BLK_S_IOERR;
	/* One copy, which is checked and used. */
	virtq_read(x->chain, sizeof(struct head), range, bytes);
	status = check_ranges(u, range, n, is_zero);
	for (size_t i = 0; i < n && status == VIRTIO_BLK_S_OK; i++) {
		uint64_t at = range[i].sector * VOLUME_SECTOR;
		uint64_t length = (uint64_t)range[i].num_sectors * VOLUME_SECTOR;
		int r = 0;

		if (length == 0)
			continue;
		r = is_zero ? backing_zero(&u->backing, at, length,
					   range[i].flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP)
			    : backing_discard(&u->backing, at, length);
		if (r < 0)
			status = VIRTIO_BLK_S_IOERR;
	}
	if (status == VIRTIO_BLK_S_OK && is_zero && x->is_through && backing_flush(&u->backing) < 0)
		status = VIRTIO_BLK_S_IOERR;
	return status;
}

bool volume_is_request(const struct virtq_chain *c)
{
	return c->out_bytes >= sizeof(struct head) && c->in_bytes > 0;
}

size_t volume_serve(struct volume *u, const struct virtq_chain *c, bool is_through)
{
	const struct work x = {u, c, is_through};
	struct head h = {0};
	size_t written = 0;
	uint8_t status;

	virtq_read(c, 0, &h, sizeof h);
	switch (h.type) {
	case VIRTIO_BLK_T_IN: status = move(&x, &h, false, &written); break;
	case VIRTIO_BLK_T_OUT: status = move(&x, &h, true, &written); break;
	case VIRTIO_BLK_T_FLUSH:
		status = backing_flush(&u->backing) < 0 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
		break;
	case VIRTIO_BLK_T_GET_ID: status = identify(&x, &written); break;
	case VIRTIO_BLK_T_DISCARD: status = clear(&x, false); break;
	case VIRTIO_BLK_T_WRITE_ZEROES: status = clear(&x, true); break;
	default: status = VIRTIO_BLK_S_UNSUPP; break;
	}
	virtq_write(c, c->in_bytes - 1, &status, 1);
	return written + 1;
}
