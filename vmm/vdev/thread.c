/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vdev/thread.h"

#include <signal.h>

#include "base/auto.h"

int thread_spawn(pthread_t *ret, void *(*body)(void *arg), void *arg, const char *vdev,
		 struct err *e)
{
	static const int open[] = {SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	sigset_t block, old;
	int error;

	sigfillset(&block);
	for (size_t i = 0; i < NELEMS(open); i++)
		sigdelset(&block, open[i]);
	pthread_sigmask(SIG_SETMASK, &block, &old);
	error = pthread_create(ret, NULL, body, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error) {
		errno = error;
		return err_sys(e, START, "start a thread of vdev '%s'", vdev);
	}
	return 0;
}
