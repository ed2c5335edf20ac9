/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/end.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum stage { OPEN, TAKEN, WRITTEN };

int end_init(struct end *x, void (*kick)(void *arg), void *arg, struct err *e)
{
	*x = (struct end){
		.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .kick = kick, .kick_arg = arg};
	if (x->fd < 0)
		return err_sys(e, START, "make the eventfd of the machine's end");
	return 0;
}

bool end_now(struct end *x, const struct machine_end *how)
{
	uint32_t open = OPEN;
	ssize_t n;

	if (x->freeze && !end_is_near(x) && x->freeze(x->kick_arg, how))
		return false;
	if (!atomic_compare_exchange_strong(&x->stage, &open, TAKEN))
		return false;
	x->how = *how;
	atomic_store(&x->stage, WRITTEN);
	x->kick(x->kick_arg);
	/* Cannot be refused: the counter goes from 0 to 1 once. */
	n = write(x->fd, &(uint64_t){1}, sizeof(uint64_t));
	(void)n;
	return true;
}

bool end_is_near(const struct end *x)
{
	return atomic_load(&x->stage) != OPEN;
}

void end_read(struct end *x, struct machine_end *ret)
{
	*ret = (struct machine_end){.cause = CAUSE_NONE};
	if (atomic_load(&x->stage) == WRITTEN)
		*ret = x->how;
}

void end_await(const struct end *x)
{
	while (ppoll(&(struct pollfd){x->fd, POLLIN, 0}, 1, NULL, NULL) < 0 && errno == EINTR)
		;
}

void end_destroy(struct end *x)
{
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
}
