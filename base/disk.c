/* SPDX-License-Identifier: Apache-2.0 */
#include "base/disk.h"

#include <fcntl.h>
#include <unistd.h>

int disk_lock(int fd, const char *path, bool is_writer, struct err *e)
{
	struct flock lock = {.l_type = is_writer ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return err_set(e, RESOURCE,
			       "disk '%s' is in use%s: end the VM that has it, or give each VM its "
			       "own copy",
			       path, is_writer ? "" : " by a writer");
	return err_sys(e, RESOURCE, "lock disk '%s'", path);
}
