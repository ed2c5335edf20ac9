/* SPDX-License-Identifier: Apache-2.0 */
#include "base/shmem.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"

enum { BACKLOG = 128 };

void shmem_tell(struct shmem_head *h, uint32_t clients, uint32_t news)
{
	for (unsigned i = 0; i < SHMEM_CLIENTS; i++) {
		_Atomic uint32_t *at = &h->client[i].news;

		/* Who has not yet heard of the last is awake, or about to be. */
		if (clients >> i & 1 && (atomic_fetch_or(at, news) & news) != news)
			syscall(SYS_futex, at, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	}
}

/* --- names and rules --- */

static bool is_printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return true;
}

bool shmem_is_name(const char *name)
{
	size_t n = strnlen(name, SHMEM_NAME);

	return n > 0 && n < SHMEM_NAME && is_printable(name, n) && !memchr(name, '/', n);
}

/* The next rule, from *at on, which is moved behind it: false behind the last. A pattern that does not
 * fit is empty. */
static bool next_rule(const char **at, char *ret_sign, char ret_pattern[static SHMEM_NAME])
{
	const char *from = *at + 1;
	size_t n = **at == '/' ? strcspn(from, "/") : 0;

	if (n == 0)
		return false;
	*ret_sign = *from;
	ret_pattern[0] = '\0';
	if (n <= SHMEM_NAME && is_printable(from, n)) {
		memcpy(ret_pattern, from + 1, n - 1);
		ret_pattern[n - 1] = '\0';
	}
	*at = from + n;
	return true;
}

static unsigned stars(const char *pattern)
{
	unsigned n = 0;

	while ((pattern = strchr(pattern, '*'))) {
		pattern++;
		n++;
	}
	return n;
}

bool shmem_are_rules(const char *rules)
{
	const char *at = rules;
	char sign, pattern[SHMEM_NAME];

	if (!strcmp(rules, "/"))
		return true;
	while (next_rule(&at, &sign, pattern))
		if ((sign != '+' && sign != '-') || !pattern[0] || stars(pattern) > SHMEM_STARS)
			return false;
	return at != rules && *at == '\0';
}

bool shmem_may(const char *rules, const char *name)
{
	const char *at = rules;
	char sign, pattern[SHMEM_NAME];
	bool has_allow = false;

	while (next_rule(&at, &sign, pattern)) {
		if (fnmatch(pattern, name, 0) == 0)
			return sign == '+';
		has_allow = has_allow || sign == '+';
	}
	return !has_allow;
}

/* --- the way to the server --- */

static int address(const char *path, struct sockaddr_un *ret, struct err *e)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!str_copy(ret->sun_path, sizeof ret->sun_path, path))
		return err_set(e, RESOURCE, "the path of the socket '%s' is over %zu bytes", path,
			       sizeof ret->sun_path - 1);
	return 0;
}

static int packet_socket(struct err *e)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? err_sys(e, RESOURCE, "make a socket for shared memory") : fd;
}

int shmem_connect(const char *path, const struct shmem_hello *hello, int *ret_fd, struct err *e)
{
	struct sockaddr_un at;
	AUTO_FD int fd = packet_socket(e);

	if (fd < 0 || address(path, &at, e) < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
	    send(fd, hello, sizeof *hello, MSG_NOSIGNAL) != sizeof *hello)
		return err_sys(e, RESOURCE, "ask the server of shared memory at '%s'", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

bool shmem_is_unserved(const struct err *e)
{
	return e->os_errno == ECONNREFUSED || e->os_errno == ENOENT || e->os_errno == EPIPE ||
	       e->os_errno == ECONNRESET;
}

int shmem_listen(const char *path, int *ret_fd, struct err *e)
{
	struct sockaddr_un at;
	AUTO_FD int fd = packet_socket(e);
	mode_t mask;
	int rc;

	if (fd < 0 || address(path, &at, e) < 0)
		return -1;
	unlink(path);
	mask = umask(0177);
	rc = bind(fd, (struct sockaddr *)&at, sizeof at);
	umask(mask);
	if (rc < 0 || listen(fd, BACKLOG) < 0)
		return err_sys(e, RESOURCE, "listen at '%s'", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
