/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/controller.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/auto.h"

enum { LINE = 64, FILE_BYTES = 512 };

static int write_text(int folder, const char *file, const char *text)
{
	AUTO_FD int fd = openat(folder, file, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

static int read_text(int folder, const char *file, char ret[static FILE_BYTES])
{
	AUTO_FD int fd = openat(folder, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, ret, FILE_BYTES - 1) : -1;

	ret[n > 0 ? n : 0] = '\0';
	return n < 0 ? -1 : 0;
}

/* The names in a list of controllers, as bits. */
static uint32_t read_set(int folder, const char *file)
{
	char text[FILE_BYTES], *rest = text, *word;
	uint32_t set = 0;

	if (read_text(folder, file, text) < 0)
		return 0;
	while ((word = strtok_r(rest, " \n", &rest)))
		for (unsigned i = 0; i < LIMIT_COUNT; i++)
			if (!strcmp(word, limit_controller(i)))
				set |= 1u << i;
	return set;
}

uint32_t controller_there(int folder)
{
	return read_set(folder, "cgroup.controllers");
}

uint32_t controller_enable(int folder)
{
	uint32_t there = controller_there(folder);
	int why = 0;

	/* Each alone: one that is refused must not take the others with it. */
	for (unsigned i = 0; i < LIMIT_COUNT; i++) {
		char word[LINE];

		snprintf(word, sizeof word, "+%s", limit_controller(i));
		if (there & 1u << i && write_text(folder, "cgroup.subtree_control", word) < 0 &&
		    !why)
			why = errno;
	}
	there = read_set(folder, "cgroup.subtree_control");
	errno = why;
	return there;
}

void controller_disable(int folder, uint32_t limits)
{
	for (unsigned i = 0; i < LIMIT_COUNT; i++) {
		char word[LINE];

		snprintf(word, sizeof word, "-%s", limit_controller(i));
		if (limits & 1u << i)
			write_text(folder, "cgroup.subtree_control", word);
	}
}

static bool write_number(int folder, const char *file, uint64_t n)
{
	char text[LINE];

	snprintf(text, sizeof text, "%" PRIu64, n);
	return write_text(folder, file, text) == 0;
}

static bool limit_memory(int folder, const struct limits *l)
{
	/* What an OOM kill leaves of a worker is of no use; a kernel before 4.19 has no such file. */
	write_text(folder, "memory.oom.group", "1");
	return write_number(folder, "memory.max", l->memory_bytes);
}

static bool limit_cpu(int folder, const struct limits *l)
{
	char quota[LINE];

	snprintf(quota, sizeof quota, "max %" PRIu64, l->cpu_period_us);
	if (l->cpu_quota_us)
		snprintf(quota, sizeof quota, "%" PRIu64 " %" PRIu64, l->cpu_quota_us,
			 l->cpu_period_us);
	return write_number(folder, "cpu.weight", l->cpu_weight) &&
	       write_text(folder, "cpu.max", quota) == 0;
}

enum { BUDGET_PERIOD_US = 100000 };

bool controller_budget(int folder, const struct partition *p)
{
	const struct limits l = {.cpu_weight = p->weight,
				 .cpu_quota_us = p->percent * (BUDGET_PERIOD_US / 100ull),
				 .cpu_period_us = BUDGET_PERIOD_US};

	return limit_cpu(folder, &l);
}

bool controller_has_budget(int folder, const struct partition *p)
{
	char weight[FILE_BYTES], most[FILE_BYTES];
	uint64_t quota_us = 0, period_us = 0;

	if (read_text(folder, "cpu.weight", weight) < 0 || read_text(folder, "cpu.max", most) < 0 ||
	    strtoul(weight, NULL, 10) != p->weight)
		return false;
	if (p->percent == 0)
		return !strncmp(most, "max ", 4);
	return sscanf(most, "%" SCNu64 " %" SCNu64, &quota_us, &period_us) == 2 &&
	       quota_us * 100 == period_us * p->percent;
}

/* One of both is there, whichever scheduler the kernel weighs disks by. */
static bool limit_io(int folder, const struct limits *l)
{
	bool by_cost = write_number(folder, "io.weight", l->io_weight);
	/* BFQ's ends at 1000. */
	bool by_bfq =
		write_number(folder, "io.bfq.weight", l->io_weight < 1000 ? l->io_weight : 1000);

	return by_cost || by_bfq;
}

static const char *number_or_max(uint64_t n, char ret[static 24])
{
	snprintf(ret, 24, "%" PRIu64, n);
	return n ? ret : "max";
}

/* A device a line, and a line a write. */
static bool limit_io_max(int folder, const struct limits *l)
{
	char text[LINE * 3], rbps[24], wbps[24], riops[24], wiops[24];
	bool holds = !l->disks.has_other;

	if (!limits_want_io_max(l))
		return false;
	for (unsigned i = 0; i < l->disks.n; i++) {
		snprintf(text, sizeof text, "%u:%u rbps=%s wbps=%s riops=%s wiops=%s",
			 major(l->disks.device[i]), minor(l->disks.device[i]),
			 number_or_max(l->read_bytes, rbps), number_or_max(l->write_bytes, wbps),
			 number_or_max(l->reads, riops), number_or_max(l->writes, wiops));
		holds = write_text(folder, "io.max", text) == 0 && holds;
	}
	return holds;
}

bool controller_has_io_max(int folder, const struct limits *l)
{
	char text[FILE_BYTES * 4], wanted[32];
	AUTO_FD int fd = openat(folder, "io.max", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text + 1, sizeof text - 2) : -1;

	if (n < 0 || l->disks.has_other)
		return false;
	text[0] = '\n';
	text[n + 1] = '\0';
	for (unsigned i = 0; i < l->disks.n; i++) {
		snprintf(wanted, sizeof wanted, "\n%u:%u ", major(l->disks.device[i]),
			 minor(l->disks.device[i]));
		if (!strstr(text, wanted))
			return false;
	}
	return true;
}

static bool limit_pids(int folder, const struct limits *l)
{
	return write_number(folder, "pids.max", l->pids);
}

void controller_limit(int folder, const struct limits *l, struct limits_held *ret)
{
	/* A partition is not of this folder. */
	static bool (*const by[LIMIT_COUNT])(int folder, const struct limits *l) = {
		[LIMIT_MEMORY] = limit_memory, [LIMIT_CPU] = limit_cpu,	      [LIMIT_IO] = limit_io,
		[LIMIT_PIDS] = limit_pids,     [LIMIT_IO_MAX] = limit_io_max,
	};

	ret->wants_io_max = limits_want_io_max(l);
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		if (by[i] && by[i](folder, l))
			ret->by[i] = LIMITER_CGROUP;
}

int controller_events(int folder)
{
	return openat(folder, "memory.events", O_RDONLY | O_CLOEXEC);
}

int64_t controller_oom_kills(int events)
{
	char text[FILE_BYTES];
	ssize_t n = pread(events, text, sizeof text - 1, 0);
	const char *line;
	int64_t kills;

	if (n < 0)
		return -1;
	text[n] = '\0';
	line = strstr(text, "oom_kill ");
	return line && sscanf(line, "oom_kill %" SCNd64, &kills) == 1 ? kills : 0;
}
