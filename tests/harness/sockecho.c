/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockecho - both ends of a test of virtio-vsock, in the guest and on the host. ADDRESS is vsock:CID:PORT
 * or unix:PATH.
 *
 *	sockecho serve ADDRESS		echoes what comes, in the background
 *	sockecho send ADDRESS [PORT]	sends its input, then prints what comes back; with PORT it first
 *					says CONNECT PORT and expects OK
 */
#include <linux/vm_sockets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_vm vm;
};

static int give_up(const char *what)
{
	perror(what);
	exit(1);
}

static int make(const char *text, union address *at, socklen_t *bytes)
{
	memset(at, 0, sizeof *at);
	if (!strncmp(text, "unix:", 5)) {
		at->un.sun_family = AF_UNIX;
		strncpy(at->un.sun_path, text + 5, sizeof at->un.sun_path - 1);
		*bytes = sizeof at->un;
	} else {
		at->vm.svm_family = AF_VSOCK;
		if (sscanf(text, "vsock:%u:%u", &at->vm.svm_cid, &at->vm.svm_port) != 2)
			give_up(text);
		*bytes = sizeof at->vm;
	}
	return socket(at->any.sa_family, SOCK_STREAM, 0);
}

static void copy(int from, int to)
{
	static char bytes[65536];
	ssize_t n;

	while ((n = read(from, bytes, sizeof bytes)) > 0)
		for (ssize_t done = 0, w; done < n; done += w)
			if ((w = write(to, bytes + done, (size_t)(n - done))) <= 0)
				give_up("write");
	if (n < 0)
		give_up("read");
}

static int serve(const char *text)
{
	union address at;
	socklen_t bytes;
	int fd = make(text, &at, &bytes);

	if (fd < 0 || bind(fd, &at.any, bytes) < 0 || listen(fd, 8) < 0)
		give_up(text);
	if (fork())
		return 0;
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int client = accept(fd, NULL, NULL);

		if (client >= 0 && fork() == 0) {
			copy(client, client);
			_exit(0);
		}
		if (client >= 0)
			close(client);
	}
}

static void greet(int fd, const char *port)
{
	char line[32];
	size_t n = 0;

	if (dprintf(fd, "CONNECT %s\n", port) < 0)
		give_up("greet");
	while (n < sizeof line - 1 && read(fd, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
	if (strncmp(line, "OK ", 3) != 0) {
		fprintf(stderr, "refused: '%s'\n", line);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	union address at;
	socklen_t bytes;
	int fd;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "serve"))
		return serve(argv[2]);
	fd = make(argv[2], &at, &bytes);
	if (fd < 0 || connect(fd, &at.any, bytes) < 0)
		give_up(argv[2]);
	if (argc > 3)
		greet(fd, argv[3]);
	if (fork() == 0) {
		copy(STDIN_FILENO, fd);
		shutdown(fd, SHUT_WR);
		_exit(0);
	}
	copy(fd, STDOUT_FILENO);
	return 0;
}
