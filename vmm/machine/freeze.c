/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/freeze.h"

#include <sys/eventfd.h>
#include <unistd.h>

int freeze_init(struct freeze *f, struct err *e)
{
	*f = (struct freeze){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	return f->fd < 0 ? err_sys(e, START, "make the eventfd of the guest's fault") : 0;
}

enum freeze_answer freeze_judge(struct freeze *f, const struct machine_end *how)
{
	if (!(f->classes & 1u << cause_class(how->cause)) || !cause_can_freeze(how->cause))
		return FREEZE_NOT;
	if (atomic_exchange(&f->is_taken, 1))
		return FREEZE_AGAIN;
	f->how = *how;
	return FREEZE_FIRST;
}

void freeze_tell(struct freeze *f)
{
	(void)!write(f->fd, &(uint64_t){1}, sizeof(uint64_t)); /* once: it takes it */
}

void freeze_destroy(struct freeze *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}
