/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trivial.c - the floor of the door: a program of libmicrohttpd alone, which answers constants over a
 * unix socket. trivial SOCKET FILE: "/" is answered by a short text, every other path by the file.
 */
#include <err.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"

static struct MHD_Response *small, *large;

static enum MHD_Result on_access(void *arg, struct MHD_Connection *c, const char *url,
				 const char *method, const char *version, const char *upload,
				 size_t *n_upload, void **request)
{
	(void)arg;
	(void)method;
	(void)version;
	(void)upload;
	(void)n_upload;
	if (!*request) { /* answered before it is read to its end, the connection would be closed */
		*request = &small;
		return MHD_YES;
	}
	return MHD_queue_response(c, MHD_HTTP_OK, url[1] ? large : small);
}

static struct MHD_Response *constant(char *take_bytes, size_t n)
{
	struct MHD_Response *r =
		MHD_create_response_from_buffer(n, take_bytes, MHD_RESPMEM_MUST_FREE);

	if (!r || MHD_add_response_header(r, "Content-Type", "application/json") != MHD_YES)
		errx(1, "no memory for an answer of %zu bytes", n);
	return r;
}

static char *read_file(const char *path, size_t *ret_n)
{
	FILE *f = fopen(path, "re");
	char *bytes = NULL;

	*ret_n = 0;
	if (!f || getdelim(&bytes, ret_n, EOF, f) < 0)
		err(1, "%s", path);
	*ret_n = (size_t)ftell(f);
	fclose(f);
	return bytes;
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 128) < 0)
		err(1, "listen at %s", path);
	return fd;
}

int main(int argc, char **argv)
{
	char *file;
	size_t n;

	if (argc != 3)
		errx(2, "trivial SOCKET FILE");
	file = read_file(argv[2], &n);
	small = constant(strdup("{\"status\": \"ok\"}"), strlen("{\"status\": \"ok\"}"));
	large = constant(file, n);
	if (!MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_access, NULL,
			      MHD_OPTION_LISTEN_SOCKET, listen_at(argv[1]), MHD_OPTION_END))
		errx(1, "libmicrohttpd does not start");
	pause();
	return 0;
}
