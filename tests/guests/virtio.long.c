/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio - finds a virtio-entropy by the ports of PCI, moves its BAR, has it fill a buffer, polling;
 * then gives it a chain that never ends and takes it back from that.
 */
#include "pci.h"
#include "pvh.h"
#include "say.h"
#include "virtio.h"

enum { ENTROPY = 4, MOVED = 0xec000000, BYTES = 64, TRIES = 100000 };

static struct virtio_queue queue;
static uint8_t buffer[BYTES];

static unsigned different(void)
{
	uint64_t seen[4] = {0};
	unsigned n = 0;

	for (unsigned i = 0; i < BYTES; i++)
		seen[buffer[i] / 64] |= UINT64_C(1) << buffer[i] % 64;
	for (unsigned v = 0; v < 256; v++)
		n += seen[v / 64] >> v % 64 & 1;
	return n;
}

void guest_main(const struct pvh_info *info)
{
	struct virtio v;

	(void)info;
	if (!virtio_find(&v, ENTROPY, MOVED)) {
		say("virtio: no virtio-entropy on the bus\n");
		return;
	}
	pci_set32(v.device, PCI_BAR0, 0xffffffff);
	say("virtio: found at device %u, BAR 0 of %u bytes\n", v.device,
	    ~(pci_get(v.device, PCI_BAR0) & 0xfffffff0) + 1);
	pci_set32(v.device, PCI_BAR0, MOVED);
	virtio_begin(&v, 0);
	virtio_turn_on(&v, 0, &queue, VIRTIO_NO_VECTOR);
	virtio_ready(&v);
	virtio_put(&queue, 0, buffer, BYTES, VIRTIO_F_WRITE);
	virtio_offer(&queue, 0, 0);
	for (unsigned i = 0; i < TRIES && queue.used.index == 0; i++)
		;
	say("virtio: %u used of %u bytes, %s\n", (unsigned)queue.used.index, queue.used.ring[0].len,
	    different() > BYTES / 4 ? "random" : "not random");
	virtio_put(&queue, 0, buffer, BYTES, VIRTIO_F_WRITE | VIRTIO_F_NEXT);
	queue.table[0].next = 0;
	virtio_offer(&queue, 0, 0);
	say("virtio: after an endless chain the device %s\n",
	    virtio_status(&v) & VIRTIO_NEEDS_RESET ? "needs a reset" : "goes on");
	virtio_set_status(&v, 0);
	say("virtio: after its reset the status is %u, the queue %s\n", virtio_status(&v),
	    virtio_is_on(&v, 0) ? "on" : "off");
}
