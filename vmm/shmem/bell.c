/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/shmem/bell.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "vmm/vdev/thread.h"
#include "vmm/vdev/vdev.h"

/* Its own word is looked at by this process alone. */
void bell_look_again(struct bell *b)
{
	atomic_fetch_add(&b->turn, 1);
	syscall(SYS_futex, &b->turn, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void *run(void *arg)
{
	struct bell *b = arg;

	sem_post(&b->is_ready);
	for (;;) {
		_Atomic uint32_t *word[BELL_WORDS];
		struct futex_waitv wait[1 + BELL_WORDS] = {
			{.val = atomic_load(&b->turn),
			 .uaddr = (uintptr_t)&b->turn,
			 .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG}};
		unsigned n;

		/* Only now: what bell_stop() does after this look changes the word. */
		if (atomic_load(&b->is_ending))
			break;
		pthread_mutex_lock(&b->vdev->lock);
		n = b->look(b->vdev, word);
		pthread_mutex_unlock(&b->vdev->lock);
		for (unsigned i = 0; i < n; i++)
			wait[1 + i] = (struct futex_waitv){.uaddr = (uintptr_t)word[i],
							   .flags = FUTEX_32};
		/* A word that is not 0 any more, or whose region has gone meanwhile: look again. */
		syscall(SYS_futex_waitv, wait, 1 + n, 0, NULL, 0);
	}
	return NULL;
}

int bell_spawn(struct bell *b, struct vdev *d,
	       unsigned (*look)(struct vdev *d, _Atomic uint32_t **ret_word), struct err *e)
{
	if (syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) < 0 && errno == ENOSYS)
		return err_set(e, START, "vdev '%s' needs Linux 5.16 (futex_waitv)", d->name);
	*b = (struct bell){.look = look};
	sem_init(&b->is_ready, 0, 0);
	b->vdev = d;
	if (thread_spawn(&b->thread, run, b, d->name, e) < 0) {
		sem_destroy(&b->is_ready);
		b->vdev = NULL;
		return -1;
	}
	while (sem_wait(&b->is_ready) < 0)
		; /* a signal */
	return 0;
}

void bell_stop(struct bell *b)
{
	if (!b->vdev)
		return;
	atomic_store(&b->is_ending, true);
	bell_look_again(b);
	pthread_join(b->thread, NULL);
	sem_destroy(&b->is_ready);
	b->vdev = NULL;
}
