/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.h - a thread of a vdev, with the signals of one: those for people go to the main thread, those
 * of a fault stay with the thread. Worker; assembly only.
 */
#pragma once

#include <pthread.h>

#include "base/err.h"

/* Run body(arg) for the vdev of that name. The final seccomp filter comes after assembly, so the
 * caller then waits until the thread makes no system call of its start any more. */
int thread_spawn(pthread_t *ret, void *(*body)(void *arg), void *arg, const char *vdev,
		 struct err *e);
