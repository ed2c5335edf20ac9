/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/hold.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int hold_init(struct hold *h, unsigned n_vcpus, struct err *e)
{
	*h = (struct hold){.n = n_vcpus, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	return h->fd < 0 ? err_sys(e, START, "make the eventfd of the machine's hold") : 0;
}

void hold_want(struct hold *h)
{
	pthread_mutex_lock(&h->lock);
	atomic_store(&h->is_wanted, true);
	pthread_mutex_unlock(&h->lock);
}

void hold_release(struct hold *h)
{
	uint64_t count;

	pthread_mutex_lock(&h->lock);
	atomic_store(&h->is_wanted, false);
	(void)!read(h->fd, &count, sizeof count); /* nobody may take it for the next one */
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

bool hold_is_complete(struct hold *h)
{
	bool all;

	pthread_mutex_lock(&h->lock);
	all = hold_is_wanted(h) && h->n_here == h->n;
	pthread_mutex_unlock(&h->lock);
	return all;
}

void hold_pass(struct hold *h)
{
	pthread_mutex_lock(&h->lock);
	h->n_here++;
	/* An eventfd that is at 0 or 1 takes it. */
	if (hold_is_wanted(h) && h->n_here == h->n)
		(void)!write(h->fd, &(uint64_t){1}, sizeof(uint64_t));
	while (hold_is_wanted(h))
		pthread_cond_wait(&h->changed, &h->lock);
	h->n_here--;
	pthread_mutex_unlock(&h->lock);
}

void hold_destroy(struct hold *h)
{
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
}
