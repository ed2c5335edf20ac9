/* SPDX-License-Identifier: Apache-2.0 */
#include "base/disk.h"

#include <fcntl.h>
#include <unistd.h>

static int refused(const char *path, bool is_writer, struct err *e)
{
	return err_set(e, RESOURCE,
		       "disk '%s' is in use%s: end the VM that has it, or give each VM its own "
		       "copy",
		       path, is_writer ? "" : " by a writer");
}

int disk_lock(int fd, const char *path, bool is_writer, struct err *e)
{
	struct flock lock = {.l_type = is_writer ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return refused(path, is_writer, e);
	return err_sys(e, RESOURCE, "lock disk '%s'", path);
}

int disk_is_free(int fd, const char *path, bool is_writer, struct err *e)
{
	struct flock lock = {.l_type = is_writer ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return err_sys(e, RESOURCE, "ask who has locked disk '%s'", path);
	return lock.l_type == F_UNLCK ? 0 : refused(path, is_writer, e);
}
