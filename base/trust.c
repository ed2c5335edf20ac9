/* SPDX-License-Identifier: Apache-2.0 */
#include "base/trust.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"

int trust_check(int fd, const char *path, uid_t other, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, RESOURCE, "look at '%s'", path);
	if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != other)
		return err_set(
			e, INVALID,
			"'%s' belongs to uid %u, and code in it would run with the rights of "
			"uid %u: it must belong to root or to that user (chown root)",
			path, st.st_uid, geteuid());
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(
			e, INVALID,
			"'%s' can be written to by others than its owner, and code in it would "
			"run with the rights of uid %u (chmod go-w)",
			path, geteuid());
	return 0;
}

int trust_open_folder(const char *path, struct err *e)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, RESOURCE, "open the folder '%s'", path);
	return trust_check(fd, path, geteuid(), e) < 0 ? -1 : TAKE_FD(fd);
}
