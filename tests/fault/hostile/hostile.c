/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In place of qvm: a worker that a guest has taken over before any filter was loaded. It closes the
 * rest of the sandbox behind itself, as qvm does, and then commits what the name of its VM says: a
 * row of `misdeeds`, or of `lies` while it reads its configuration, or late, of a guest that runs.
 *
 * Starts and checks look the same to a worker: it is armed by a heartbeat of 123 ms, otherwise it
 * becomes the real qvm, two folders above.
 */
#include "tests/fault/hostile/play.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "schemas/cause.h"

enum { BIG = 60000, MANY_FDS = 200, BEAT_US = 20000, CHUNK = 1 << 20 };

/* --- datagrams that break a rule --- */

static void send_raw(const void *bytes, size_t n, unsigned n_fds)
{
	union {
		struct cmsghdr hdr;
		char room[CMSG_SPACE(sizeof(int) * MANY_FDS)];
	} c = {0};
	struct iovec iov = {(void *)bytes, n};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	int fds[MANY_FDS];

	for (unsigned i = 0; i < n_fds; i++)
		fds[i] = LINK;
	if (n_fds) {
		m.msg_control = &c;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c.hdr = (struct cmsghdr){CMSG_LEN(sizeof(int) * n_fds), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(&c.hdr), fds, sizeof(int) * n_fds);
	}
	sendmsg(LINK, &m, MSG_NOSIGNAL);
}

static const struct lie {
	const char *name;
	unsigned type;
	int bytes; /* of the body; -1 = as the table says */
	int claim; /* what the header says of it; -1 = the truth */
	unsigned version, n_fds;
} lies[] = {
	{"foreign-version", MESSAGE_READY, -1, -1, WIRE_VERSION + 1, 0},
	{"type-none", MESSAGE_NONE, 8, -1, WIRE_VERSION, 0},
	{"type-unknown", 0xffff, 8, -1, WIRE_VERSION, 0},
	{"type-next", MESSAGE_COUNT, 8, -1, WIRE_VERSION, 0},
	{"supervisors-word", MESSAGE_START, -1, -1, WIRE_VERSION, 0},
	{"apis-word", MESSAGE_CALL, -1, -1, WIRE_VERSION, 0},
	{"no-body", MESSAGE_ENDED, 0, -1, WIRE_VERSION, 0},
	{"short-body", MESSAGE_ENDED, sizeof(struct msg_ended) - 1, -1, WIRE_VERSION, 0},
	{"long-body", MESSAGE_ENDED, sizeof(struct msg_ended) + 1, -1, WIRE_VERSION, 0},
	{"length-lies", MESSAGE_ENDED, -1, 1 << 30, WIRE_VERSION, 0},
	{"huge", MESSAGE_DIAGNOSTIC, BIG, -1, WIRE_VERSION, 0},
	{"a-descriptor", MESSAGE_READY, -1, -1, WIRE_VERSION, 1},
	{"descriptors", MESSAGE_READY, -1, -1, WIRE_VERSION, MANY_FDS},
	{"out-of-turn", MESSAGE_STARTED, -1, -1, WIRE_VERSION, 0},
	{"held-of-no-hold", MESSAGE_HELD, -1, -1, WIRE_VERSION, 0},
	{"invalid-of-nothing", MESSAGE_INVALID, -1, -1, WIRE_VERSION, 0},
	{"plan-of-nothing", MESSAGE_PLAN, -1, -1, WIRE_VERSION, 0},
};

static void tell_lie(const struct lie *l)
{
	static struct {
		struct wire_hdr hdr;
		char body[BIG];
	} m;
	bool is_known = l->type > MESSAGE_NONE && l->type < MESSAGE_COUNT;
	uint32_t bytes =
		l->bytes >= 0 || !is_known ? (uint32_t)l->bytes : message_table.rule[l->type].bytes;

	m.hdr = (struct wire_hdr){.version = (uint16_t)l->version,
				  .type = (uint16_t)l->type,
				  .bytes = l->claim >= 0 ? (uint32_t)l->claim : bytes};
	send_raw(&m, sizeof m.hdr + bytes, l->n_fds);
	play_for_ever();
}

/* --- misdeeds while it reads its configuration --- */

static void say_nothing(void)
{
	play_for_ever();
}

static void send_one_byte(void)
{
	send_raw("x", 1, 0);
	play_for_ever();
}

static void send_empty_with_descriptors(void)
{
	send_raw("", 0, 2);
	play_for_ever();
}

static void flood_findings(void)
{
	struct diagnostic d = {.severity = DIAGNOSTIC_ERROR, .line = 1};

	memset(d.what, '\033', sizeof d.what);
	for (;;)
		play_say(MESSAGE_DIAGNOSTIC, &d);
}

static void flood_wants(void)
{
	for (uint32_t i = 0;; i++)
		play_want(i, WANT_RAM, 4096, "");
}

static void want_out_of_order(void)
{
	play_want(7, WANT_RAM, 4096, "");
	play_for_ever();
}

static void want_the_unknown(void)
{
	play_want(0, WANT_COUNT + 5, 4096, "");
	play_for_ever();
}

static void want_without_end(void)
{
	struct msg_want w = {.index = 0, .kind = WANT_IMAGE};

	memset(w.path, 'x', sizeof w.path);
	play_say(MESSAGE_WANT, &w);
	play_for_ever();
}

/* The path is in its configuration, behind a #. */
static void want_path(void)
{
	char path[256];

	play_path(path, sizeof path);
	play_ask(16 << 20, WANT_OUTPUT, path);
	play_for_ever();
}

static void want_disk(void)
{
	char path[256];

	play_path(path, sizeof path);
	play_ask(16 << 20, WANT_DISK, path);
	play_for_ever();
}

static void want_all_memory(void)
{
	play_ask(UINT64_C(1) << 45, WANT_COUNT, "");
	play_for_ever();
}

static void want_two_memories(void)
{
	play_ask(16 << 20, WANT_RAM, "");
	play_for_ever();
}

static void eat_memory(void)
{
	for (;;) {
		char *p = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		if (p == MAP_FAILED)
			play_for_ever();
		memset(p, 1, CHUNK);
	}
}

/* --- misdeeds of a worker whose guest runs --- */

static void be_deaf(void)
{
	play_beat_for_ever();
}

static void stop_beating(void)
{
	play_for_ever();
}

static void say_goodbye_and_stay(void)
{
	play_end(CAUSE_POWEROFF, 0);
	play_for_ever();
}

static void close_the_link_and_stay(void)
{
	close(LINK);
	play_for_ever();
}

static void exit_otherwise(void)
{
	play_end(CAUSE_POWEROFF, 0);
	_exit(7);
}

/* Claims what its VM's name says behind "forge-". */
static void forge(void)
{
	enum cause c = cause_from_id(play_name() + strlen("forge-"));
	int status = cause_exit(c) >= 0 ? cause_exit(c) : 0;

	play_end(c, (uint32_t)status);
	_exit(status);
}

static void forge_unknown(void)
{
	play_end(CAUSE_COUNT + 1000, 0);
	_exit(0);
}

static void scribble(void)
{
	struct blackbox_map *m = play_box();
	uint64_t x = 88172645463325252u, *word = (uint64_t *)m->box;

	for (;;) {
		for (size_t i = 0; i < m->bytes / sizeof *word; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			word[i] = x;
		}
	}
}

static void babble(void)
{
	static char words[CHUNK];

	memset(words, '\a', sizeof words);
	fcntl(STDERR_FILENO, F_SETFL, 0);
	for (int i = 0; i < 1000; i++) {
		if (write(STDERR_FILENO, words, sizeof words) < 0)
			break;
		usleep(BEAT_US);
	}
	play_beat_for_ever();
}

static void fork_for_ever(void)
{
	for (;;) {
		pid_t child = fork();

		if (child == 0)
			play_for_ever();
		if (child < 0)
			play_beat_for_ever();
	}
}

static const struct misdeed {
	const char *name;
	void (*commit)(void);
	bool is_late;
} misdeeds[] = {
	{"silent", say_nothing, false},
	{"one-byte", send_one_byte, false},
	{"empty-with-descriptors", send_empty_with_descriptors, false},
	{"flood-findings", flood_findings, false},
	{"flood-wants", flood_wants, false},
	{"want-out-of-order", want_out_of_order, false},
	{"want-unknown", want_the_unknown, false},
	{"want-without-end", want_without_end, false},
	{"want-path", want_path, false},
	{"want-disk", want_disk, false},
	{"want-all-memory", want_all_memory, false},
	{"want-two-memories", want_two_memories, false},
	{"eat-memory", eat_memory, false},
	{"deaf", be_deaf, true},
	{"stop-beating", stop_beating, true},
	{"goodbye-and-stay", say_goodbye_and_stay, true},
	{"close-link-and-stay", close_the_link_and_stay, true},
	{"exit-otherwise", exit_otherwise, true},
	{"forge-unknown", forge_unknown, true},
	{"scribble", scribble, true},
	{"babble", babble, true},
	{"fork", fork_for_ever, true},
};

int main(int argc, char **argv)
{
	const char *name = play_begin(argc, argv);
	size_t n = strlen(name);
	bool is_late = n > 5 && !strcmp(name + n - 5, "-late");

	for (size_t i = 0; i < NELEMS(lies); i++) {
		if (strncmp(name, lies[i].name, strlen(lies[i].name)) != 0 ||
		    strlen(lies[i].name) != n - (is_late ? 5 : 0))
			continue;
		if (is_late)
			play_run();
		tell_lie(&lies[i]);
	}
	for (size_t i = 0; i < NELEMS(misdeeds); i++) {
		if (strcmp(name, misdeeds[i].name) != 0)
			continue;
		if (misdeeds[i].is_late)
			play_run();
		misdeeds[i].commit();
	}
	if (!strncmp(name, "forge-", 6)) {
		play_run();
		forge();
	}
	return 99; /* no such misdeed: its VM does not end as the test expects */
}
