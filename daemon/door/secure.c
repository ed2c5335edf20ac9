/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/door/secure.h"

#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/sealed.h"
#include "base/str.h"
#include "daemon/daemon.h"

enum { BACKLOG = 128, PEM_MOST = 256 * 1024 };

/* "127.0.0.1:9443", "[::1]:9443", "*:9443": numbers only, nobody is asked for a name. */
static int resolve(const char *text, struct addrinfo **ret, struct err *e)
{
	static const struct addrinfo hints = {.ai_flags =
						      AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
					      .ai_socktype = SOCK_STREAM};
	const char *colon = strrchr(text, ':'), *host = text;
	size_t n = colon ? (size_t)(colon - text) : 0;
	char address[64];
	int r;

	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
	}
	if (!colon || n == 0 || n >= sizeof address)
		return err_set(e, INVALID,
			       "listen is '%s': write ADDRESS:PORT, like 127.0.0.1:9443, [::]:9443 "
			       "or *:9443",
			       text);
	memcpy(address, host, n);
	address[n] = '\0';
	r = getaddrinfo(strcmp(address, "*") ? address : NULL, colon + 1, &hints, ret);
	if (r != 0)
		return err_set(e, INVALID, "listen is '%s': %s", text, gai_strerror(r));
	return 0;
}

static int listen_on(const char *text, int *ret_fd, struct err *e)
{
	struct addrinfo *a = NULL;
	AUTO_FD int fd = -1;
	int r;

	if (resolve(text, &a, e) < 0 || !a)
		return -1;
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	r = fd < 0 ? -1 : setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (r == 0)
		r = bind(fd, a->ai_addr, a->ai_addrlen);
	freeaddrinfo(a);
	if (r < 0 || listen(fd, BACKLOG) < 0)
		return err_sys(e, RESOURCE, "listen on '%s'", text);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int read_file(const char *key, const char *path, bool is_secret, int *ret_fd, struct err *e)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_FREE char *text = malloc(PEM_MOST);
	struct stat st;
	ssize_t n;

	if (!text)
		abort();
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, RESOURCE, "open '%s' of `%s`", path, key);
	if (is_secret && (st.st_mode & 0077 & ~(mode_t)0040))
		return err_set(e, INVALID,
			       "'%s' of `%s` may be read by others than its owner and group: "
			       "chmod 600 it",
			       path, key);
	n = read(fd, text, PEM_MOST);
	if (n < 0)
		return err_sys(e, RESOURCE, "read '%s' of `%s`", path, key);
	if (n == PEM_MOST || !memmem(text, (size_t)n, "-----BEGIN ", 11))
		return err_set(e, INVALID, "'%s' of `%s` is no PEM file of less than %d KiB", path,
			       key, PEM_MOST / 1024);
	*ret_fd = sealed_text("qvm-tls", text, (size_t)n);
	explicit_bzero(text, (size_t)n);
	return *ret_fd < 0 ? err_sys(e, RESOURCE, "hold '%s' in memory", path) : 0;
}

static int read_files(const struct config *c, int file[static SECURE_FILES], struct err *e)
{
	if (read_file("tls-certificate", c->tls_certificate, false, &file[SECURE_CERTIFICATE], e) <
		    0 ||
	    read_file("tls-key", c->tls_key, true, &file[SECURE_KEY], e) < 0)
		return -1;
	if (c->tls_client_ca[0])
		return read_file("tls-client-ca", c->tls_client_ca, false, &file[SECURE_CLIENT_CA],
				 e);
	file[SECURE_CLIENT_CA] = sealed_text("qvm-tls", "", 0);
	return file[SECURE_CLIENT_CA] < 0 ? err_sys(e, RESOURCE, "make a memfd") : 0;
}

static void close_files(int file[static SECURE_FILES])
{
	for (unsigned i = 0; i < SECURE_FILES; i++) {
		if (file[i] >= 0)
			close(file[i]);
		file[i] = -1;
	}
}

int secure_open(struct daemon *d, struct err *e)
{
	struct secure *s = &d->secure;
	const struct config *c = &d->config;

	*s = (struct secure){.listener = -1, .file = {-1, -1, -1}};
	if (!c->listen[0])
		return 0;
	if (!c->tls_certificate[0] || !c->tls_key[0])
		return err_set(e, INVALID,
			       "`listen` needs `tls-certificate` and `tls-key`: over TCP the API "
			       "speaks TLS only");
	if (read_files(c, s->file, e) < 0 || listen_on(c->listen, &s->listener, e) < 0) {
		close_files(s->file);
		return -1;
	}
	return 0;
}

void secure_send(struct daemon *d)
{
	const struct secure *s = &d->secure;
	const int fds[] = {s->listener, s->file[SECURE_CERTIFICATE], s->file[SECURE_KEY],
			   s->file[SECURE_CLIENT_CA]};

	if (s->listener >= 0)
		frontdoor_secure(d, fds, NELEMS(fds));
}

int secure_reload(struct daemon *d, struct err *e)
{
	struct secure *s = &d->secure;
	int file[SECURE_FILES] = {-1, -1, -1};

	if (s->listener < 0)
		return 0;
	if (read_files(&d->config, file, e) < 0) {
		close_files(file);
		return -1;
	}
	close_files(s->file);
	memcpy(s->file, file, sizeof file);
	secure_send(d);
	return 0;
}

void secure_close(struct secure *s)
{
	close_files(s->file);
	if (s->listener >= 0)
		close(s->listener);
	s->listener = -1;
}
