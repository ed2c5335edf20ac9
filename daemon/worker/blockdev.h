/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blockdev.h - the block device that a file lies on, as cgroup2 counts it: the whole disk, never a
 * partition of it. Openers; asking may wait for the file system.
 */
#pragma once

#include <stdint.h>

/* A dev_t; of a block device that itself. 0: it lies on none that the kernel counts, as with a network's
 * file system, btrfs or tmpfs. */
uint64_t blockdev_of(int fd);
