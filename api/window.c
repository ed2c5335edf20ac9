/* SPDX-License-Identifier: Apache-2.0 */
#include "api/window.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/auto.h"

enum { MEMINFO = 8192 };

void window_open(struct window *w, const char *state_dir)
{
	w->meminfo_fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	w->state_fd = open(state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void window_close(struct window *w)
{
	if (w->meminfo_fd >= 0)
		close(w->meminfo_fd);
	if (w->state_fd >= 0)
		close(w->state_fd);
	*w = (struct window){-1, -1};
}

/* "MemTotal:       24576000 kB" */
static uint64_t line_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

struct window_memory window_memory(const struct window *w)
{
	char text[MEMINFO] = "\n";
	ssize_t n = w->meminfo_fd < 0 ? -1 : pread(w->meminfo_fd, text + 1, sizeof text - 2, 0);
	struct window_memory m = {0};
	struct sysinfo s;

	if (n > 0) {
		text[n + 1] = '\0';
		m.total = line_of(text, "\nMemTotal:") * 1024;
		m.available = line_of(text, "\nMemAvailable:") * 1024;
		m.swap_used = (line_of(text, "\nSwapTotal:") - line_of(text, "\nSwapFree:")) * 1024;
		m.huge_page = line_of(text, "\nHugepagesize:") * 1024;
		m.huge_pages = line_of(text, "\nHugePages_Total:");
		m.huge_pages_free = line_of(text, "\nHugePages_Free:");
	} else if (sysinfo(&s) == 0) {
		m.total = (uint64_t)s.totalram * s.mem_unit;
		m.available = (uint64_t)s.freeram * s.mem_unit;
		m.swap_used = (uint64_t)(s.totalswap - s.freeswap) * s.mem_unit;
	}
	return m;
}

void window_room(const struct window *w, uint64_t *ret_free, uint64_t *ret_total)
{
	struct statfs fs;

	*ret_free = *ret_total = 0;
	if (w->state_fd < 0 || fstatfs(w->state_fd, &fs) < 0)
		return;
	*ret_free = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	*ret_total = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
}

uint64_t window_database(const struct window *w)
{
	static const char *const name[] = {"state.db", "state.db-wal"};
	uint64_t bytes = 0;
	struct stat st;

	for (size_t i = 0; w->state_fd >= 0 && i < NELEMS(name); i++)
		if (fstatat(w->state_fd, name[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += (uint64_t)st.st_size;
	return bytes;
}

void window_uptime(uint64_t *ret_ms, uint64_t *ret_load)
{
	struct sysinfo s;

	*ret_ms = *ret_load = 0;
	if (sysinfo(&s) < 0)
		return;
	*ret_ms = (uint64_t)s.uptime * 1000;
	*ret_load = ((uint64_t)s.loads[0] * 100) >> SI_LOAD_SHIFT;
}
