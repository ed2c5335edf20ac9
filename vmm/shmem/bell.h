/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bell.h - a thread that sleeps until a client of a shared region has news for this VM: on the words in
 * the heads of all regions that the vdev has, by futex, so that nobody stands between two clients.
 * Worker; part of the state of a vdev.
 *
 * A word is waited for as long as it is not being told of: whoever shakes it without end has no effect
 * before the guest has read its status.
 */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sandbox.h"

struct vdev;

enum { BELL_WORDS = 16 };

struct bell {
	struct vdev *vdev; /* NULL = never spawned */
	pthread_t thread;
	_Atomic uint32_t turn; /* counted up to have the thread look again */
	atomic_bool is_ending;
	sem_t is_ready; /* posted once */
	/* Tell the guest of words that are not 0; those to wait for until they are, at most BELL_WORDS.
	 * Under the vdev's lock. */
	unsigned (*look)(struct vdev *d, _Atomic uint32_t **ret_word);
};

/* Returns once the thread waits: the final filter may come. */
int bell_spawn(struct bell *b, struct vdev *d,
	       unsigned (*look)(struct vdev *d, _Atomic uint32_t **ret_word), struct err *e);
/* There is another word to wait for, or one less. */
void bell_look_again(struct bell *b);
/* End it and wait for that; one never spawned is fine. The caller does not hold the vdev's lock. */
void bell_stop(struct bell *b);
