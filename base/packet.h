/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet.h - one fixed struct and at most one descriptor on a SOCK_SEQPACKET link, for the small
 * dialogues that are no part of messages.def (base/dialer.h, base/shmem.h). All processes; nothing waits.
 */
#pragma once

#include <stddef.h>

/* fd -1 = none; it stays the caller's. -1 when it did not go out whole. */
int packet_send(int link, const void *bytes, size_t n, int fd);
/* The next packet of exactly n bytes: 1, with the descriptor that came along, the caller's, or -1; 0 when
 * there is none now; -1 when the link has ended or the packet is of another size. */
int packet_hear(int link, void *ret, size_t n, int *ret_fd);
