/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_virtio_net - a hostile driver against a network card whose peer keeps no rules either. */
#include <linux/virtio_net.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/virtio_driver.h"
#include "vmm/vdev/vdev.h"

const char driver_class[] = "virtio-net";

enum { PACKETS = 48, LARGEST = 70000 };

/* Words, frames that are too short, too long, with checksums and segments of any kind. */
static void speak(int fd)
{
	static uint8_t packet[LARGEST];
	static const size_t sizes[] = {1, 1, 11, 12, 25, 26, 72, 1514, 9000, 65561, 65565, LARGEST};

	for (unsigned i = 0; i < PACKETS; i++) {
		struct virtio_net_hdr_v1 h = {.flags = (uint8_t)(i % 3),
					      .gso_type = (uint8_t)(i / 3 % 6),
					      .csum_start = (uint16_t)(i * 1400),
					      .csum_offset = (uint16_t)(i % 5 ? 16 : 65535)};

		memcpy(packet, &h, sizeof h);
		if (i % 12 < 2)
			packet[0] = (uint8_t) "utdx"[i % 4];
		/* A full queue takes no more: as good a case. */
		send(fd, packet, sizes[i % 12], MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

void driver_prepare(struct vdev *d)
{
	static int other = -1;
	const struct vdev_option *o = d->class->options;
	struct err e;
	int fd[2];

	while (strcmp(o->name, "peer") != 0)
		o++;
	if (other >= 0)
		close(other);
	if (o->set(d, "/dev/qvm/other/right", &e) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) < 0)
		abort();
	d->want[0].fd = fd[0]; /* the vdev's to close */
	other = fd[1];
	speak(other);
}
