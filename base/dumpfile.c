/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dumpfile.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const char suffix[] = ".gcore";

int dumpfile_create(int dir_fd, const char *prefix, int64_t wall_ms, char ret_name[DUMPFILE_NAME],
		    int *ret_fd, struct err *e)
{
	time_t now = (time_t)(wall_ms / 1000);
	char stamp[32] = "", name[DUMPFILE_NAME];
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &tm);
	for (int n = 0; n <= DUMPFILE_CLASHES; n++) {
		char clash[4] = "";

		if (n)
			snprintf(clash, sizeof clash, "-%d", n);
		snprintf(name, sizeof name, "%.63s-%s%s%s", prefix, stamp, clash, suffix);
		*ret_fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
				 0600);
		if (*ret_fd >= 0) {
			snprintf(ret_name, DUMPFILE_NAME, "%s", name);
			return 0;
		}
		if (errno != EEXIST)
			return err_sys(e, RESOURCE, "make the dump '%s'", name);
	}
	return err_set(e, RESOURCE,
		       "'%.63s-%s%s' and its names with -1 to -%d are taken: remove old dumps",
		       prefix, stamp, suffix, DUMPFILE_CLASHES);
}

void dumpfile_tag(const struct stat *st, char ret[static DUMPFILE_TAG])
{
	uint64_t at_ns = (uint64_t)st->st_mtim.tv_sec * 1000000000 + (uint64_t)st->st_mtim.tv_nsec;

	snprintf(ret, DUMPFILE_TAG, "%" PRIx64 "-%" PRIx64 "-%" PRIx64, (uint64_t)st->st_ino,
		 (uint64_t)st->st_size, at_ns);
}

int dumpfile_is_of(const char *name, const char *prefix)
{
	static const char form[] = "-dddddddd-dddddd";
	size_t n = strlen(prefix);

	if (strncmp(name, prefix, n) != 0)
		return 0;
	name += n;
	for (const char *f = form; *f; f++, name++)
		if (*f == 'd' ? !isdigit((unsigned char)*name) : *name != *f)
			return 0;
	if (name[0] == '-' && name[1] >= '1' && name[1] <= '0' + DUMPFILE_CLASHES)
		name += 2;
	return !strcmp(name, suffix);
}
