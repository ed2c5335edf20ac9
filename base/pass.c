/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pass.h"

#include <fcntl.h>

int pass_claim(int fd, const char *path, bool is_writer, struct err *e)
{
	struct flock lock = {.l_type = is_writer ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return err_set(e, RESOURCE,
			       "'%s' is passed to a guest already%s: it has one owner; end the VM "
			       "that has it, or remove one of two `loc` of this VM that name it",
			       path, is_writer ? "" : " that writes");
	return err_sys(e, RESOURCE, "lock '%s'", path);
}
