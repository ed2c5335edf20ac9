/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"

enum { FIXED_SIZE = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

int sealed_memory(const char *name, uint64_t bytes)
{
	AUTO_FD int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0 || fcntl(fd, F_ADD_SEALS, FIXED_SIZE) < 0)
		return -1;
	return TAKE_FD(fd);
}

int sealed_text(const char *name, const char *text, size_t bytes)
{
	AUTO_FD int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	for (size_t done = 0; fd >= 0 && done < bytes;) {
		ssize_t n = write(fd, text + done, bytes - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	if (fd < 0 || fcntl(fd, F_ADD_SEALS, FIXED_SIZE | F_SEAL_WRITE) < 0)
		return -1;
	return TAKE_FD(fd);
}
