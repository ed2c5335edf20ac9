/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auto.h - scope-bound ownership. Every process.
 *
 * The owner is visible at the declaration (AUTO_FD int fd), moving it is visible at the move
 * (TAKE_FD(fd)). NELEMS refuses a pointer at compile time.
 */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void auto_free(void *p)
{
	free(*(void **)p);
}

static inline void auto_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void auto_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void auto_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define AUTO(fn)  __attribute__((cleanup(fn)))
#define AUTO_FREE AUTO(auto_free)
#define AUTO_FD	  AUTO(auto_close)
#define AUTO_FILE AUTO(auto_fclose)
#define AUTO_DIR  AUTO(auto_closedir)

#define TAKE(p)                                                                                    \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int taken_ = (fd);                                                                 \
		(fd) = -1;                                                                         \
		taken_;                                                                            \
	})

#define NELEMS(a)                                                                                  \
	(sizeof(a) / sizeof((a)[0]) +                                                              \
	 0 * sizeof(struct {                                                                       \
		 int not_an_array : 1 -                                                            \
			 2 * !!__builtin_types_compatible_p(__typeof__(a), __typeof__(&(a)[0]));   \
	 }))
