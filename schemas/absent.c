/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/absent.h"

#include <inttypes.h>

int absent_vm(const char *vm, struct err *e)
{
	err_set(e, NOT_FOUND, "there is no VM '%s'", vm);
	return err_advise(e, "qvmadm list shows the VMs that there are");
}

int absent_token(const char *name, struct err *e)
{
	err_set(e, NOT_FOUND, "there is no token '%s'", name);
	return err_advise(e, "qvmadm token shows those that there are");
}

int absent_revision(const char *vm, int64_t revision, int64_t newest, int64_t oldest, struct err *e)
{
	err_set(e, NOT_FOUND,
		"'%s' has no revision %" PRId64 ": its newest is %" PRId64
		", the oldest that is kept %" PRId64,
		vm, revision, newest, oldest);
	return err_advise(e, "qvmadm revisions %s shows those that are kept", vm);
}
