/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pass.h"

#include <fcntl.h>

static int refused(const char *path, bool is_writer, struct err *e)
{
	return err_set(e, RESOURCE,
		       "'%s' is passed to a guest already%s: it has one owner; end the VM that has "
		       "it, or remove one of two `loc` of this VM that name it",
		       path, is_writer ? "" : " that writes");
}

int pass_claim(int fd, const char *path, bool is_writer, struct err *e)
{
	struct flock lock = {.l_type = is_writer ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return refused(path, is_writer, e);
	return err_sys(e, RESOURCE, "lock '%s'", path);
}

int pass_is_free(int fd, const char *path, bool is_writer, struct err *e)
{
	struct flock lock = {.l_type = is_writer ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return err_sys(e, RESOURCE, "ask who has locked '%s'", path);
	return lock.l_type == F_UNLCK ? 0 : refused(path, is_writer, e);
}
