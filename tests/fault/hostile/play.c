/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/hostile/play.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/sandbox.h"
#include "base/str.h"

enum { ARMED_MS = 123, BEAT_US = 20000, FDS_MOST = 256, PATH = 512 };

static struct {
	struct msg_config config;
	char text[PATH];
	struct blackbox_map box;
} p;

static __attribute__((noreturn)) void give_up(const char *what)
{
	fprintf(stderr, "hostile: %s\n", what);
	_exit(98);
}

static __attribute__((noreturn)) void become_qvm(char **argv)
{
	char path[PATH];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 16);

	if (n <= 0)
		give_up("no /proc/self/exe");
	path[n] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(path, '/') = '\0';
	strcat(path, "/qvm");
	execv(path, argv);
	give_up("execv");
}

/* The message is only looked at: whoever is not armed leaves it to the real qvm. */
static bool is_armed(void)
{
	struct {
		struct wire_hdr hdr;
		struct msg_config config;
	} m;
	struct pollfd there = {.fd = LINK, .events = POLLIN};

	if (poll(&there, 1, -1) != 1 || recv(LINK, &m, sizeof m, MSG_PEEK) < (ssize_t)sizeof m)
		give_up("no CONFIG");
	return m.config.heartbeat_ms == ARMED_MS;
}

static void receive(unsigned type, struct wire_msg *ret)
{
	struct pollfd there = {.fd = LINK, .events = POLLIN};
	struct err e;

	if (poll(&there, 1, -1) != 1 ||
	    wire_recv(LINK, &message_table, WIRE_TO_WORKER, ret, &e) != 1 || ret->hdr.type != type)
		give_up("the supervisor says something else");
}

const char *play_begin(int argc, char **argv)
{
	struct sandbox_spec s = {.max_fds = FDS_MOST};
	struct wire_msg m;
	uint32_t layers;
	struct err e;

	(void)argc;
	if (!is_armed())
		become_qvm(argv);
	receive(MESSAGE_CONFIG, &m);
	memcpy(&p.config, m.body, sizeof p.config);
	if (pread(m.fd[0], p.text, sizeof p.text - 1, 0) < 0)
		give_up("no text");
	s.made = p.config.made & SANDBOX_ALL;
	s.uid = p.config.uid;
	s.gid = p.config.uid;
	if (sandbox_enter(&s, &layers, &e) < 0)
		give_up(e.msg);
	return p.config.vm;
}

const char *play_name(void)
{
	return p.config.vm;
}

void play_say(unsigned type, const void *body)
{
	struct pollfd room = {.fd = LINK, .events = POLLOUT};
	struct err e;

	while (wire_send(LINK, &message_table, type, 0, body, NULL, 0, &e) < 0)
		if (e.code != ERR_PROTOCOL || poll(&room, 1, -1) < 0)
			play_for_ever(); /* it is no longer listened to */
}

void play_want(uint32_t index, uint32_t kind, uint64_t bytes, const char *path)
{
	struct msg_want w = {.index = index, .kind = kind, .bytes = bytes};

	str_copy(w.path, sizeof w.path, path);
	play_say(MESSAGE_WANT, &w);
}

void play_ask(uint64_t ram_bytes, uint32_t more, const char *path)
{
	struct msg_plan plan = {.n_wants = 3, .n_vcpus = 1, .n_vdevs = 1, .ram_bytes = ram_bytes};

	play_want(0, WANT_KVM, 0, "");
	play_want(1, WANT_RAM, ram_bytes, "");
	play_want(2, WANT_BLACKBOX, 0, "");
	if (more != WANT_COUNT)
		play_want(plan.n_wants++, more, ram_bytes, path);
	play_say(MESSAGE_PLAN, &plan);
}

void play_run(void)
{
	struct wire_msg m;
	struct err e;

	play_ask(1 << 20, WANT_COUNT, "");
	for (int i = 0; i < 3; i++) {
		receive(MESSAGE_GRANT, &m);
		if (i == 2 && blackbox_map_writer(m.fd[0], &p.box, &e) < 0)
			give_up(e.msg);
		wire_close_fds(&m);
	}
	receive(MESSAGE_ASSEMBLE, &m);
	play_say(MESSAGE_READY, &(struct msg_ready){.sandbox = SANDBOX_ALL});
	receive(MESSAGE_START, &m);
	play_say(MESSAGE_STARTED, &(struct msg_empty){0});
}

struct blackbox_map *play_box(void)
{
	return &p.box;
}

void play_path(char *ret, size_t cap)
{
	const char *hash = strchr(p.text, '#');

	if (!hash)
		give_up("no path");
	str_copy(ret, cap, hash + 1);
	ret[strcspn(ret, "\n")] = '\0';
}

void play_end(uint32_t cause, uint32_t exit_code)
{
	play_say(MESSAGE_ENDED, &(struct msg_ended){.cause = cause, .exit_code = exit_code});
}

void play_for_ever(void)
{
	for (;;)
		pause();
}

void play_beat_for_ever(void)
{
	for (;;) {
		atomic_fetch_add(&p.box.box->heartbeat, 1);
		usleep(BEAT_US);
	}
}
