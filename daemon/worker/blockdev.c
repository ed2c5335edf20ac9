/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/blockdev.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/auto.h"

/* A partition's folder lies in that of its disk: Documentation/ABI/stable/sysfs-block. */
static uint64_t whole(uint64_t device)
{
	char path[64], text[32], c;
	unsigned high, low;
	ssize_t n;

	snprintf(path, sizeof path, "/sys/dev/block/%u:%u/partition", major(device), minor(device));
	AUTO_FD int is_part = open(path, O_RDONLY | O_CLOEXEC);
	if (is_part < 0 || read(is_part, &c, 1) != 1)
		return device;
	snprintf(path, sizeof path, "/sys/dev/block/%u:%u/../dev", major(device), minor(device));
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
	text[n > 0 ? n : 0] = '\0';
	return sscanf(text, "%u:%u", &high, &low) == 2 ? makedev(high, low) : device;
}

uint64_t blockdev_of(int fd)
{
	struct stat st;
	uint64_t device;

	if (fd < 0 || fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)))
		return 0;
	device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
	return major(device) ? whole(device) : 0; /* 0: made up by a file system */
}
