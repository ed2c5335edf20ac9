/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"

/* The mount point of cgroup2: field 5 of the line whose type, after " - ", is cgroup2. */
static int find_mount(char *ret, size_t cap, struct err *e)
{
	AUTO_FILE FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[2048], point[CGROUP_PATH];

	if (!f)
		return err_sys(e, RESOURCE, "read '/proc/self/mountinfo'");
	while (fgets(line, sizeof line, f)) {
		if (!strstr(line, " - cgroup2 ") ||
		    sscanf(line, "%*s %*s %*s %*s %511s", point) != 1)
			continue;
		if (str_copy(ret, cap, point))
			return 0;
	}
	return err_set(e, RESOURCE, "no cgroup2 is mounted");
}

/* Our own place in it: the line "0::/path". */
static int find_own(char *ret, size_t cap, struct err *e)
{
	AUTO_FILE FILE *f = fopen("/proc/self/cgroup", "re");
	char line[CGROUP_PATH];

	if (!f)
		return err_sys(e, RESOURCE, "read '/proc/self/cgroup'");
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::", 3) &&
		    str_copy(ret, cap, strcmp(line, "0::/") ? line + 3 : ""))
			return 0;
	}
	return err_set(e, RESOURCE, "this process is in no cgroup2");
}

int cgroup_open(struct cgroup *c, const char *state_dir, struct err *e)
{
	char mount[CGROUP_PATH / 3], own[CGROUP_PATH / 3], path[CGROUP_PATH];
	struct stat st;

	*c = (struct cgroup){.fd = -1};
	if (stat(state_dir, &st) < 0)
		return err_sys(e, RESOURCE, "look at '%s'", state_dir);
	if (find_mount(mount, sizeof mount, e) < 0 || find_own(own, sizeof own, e) < 0)
		return -1;
	snprintf(path, sizeof path, "%s%s/qvm-%llx-%llx", mount, own, (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, RESOURCE, "make the cgroup '%s'", path);
	c->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->fd < 0)
		return err_sys(e, RESOURCE, "open the cgroup '%s'", path);
	str_copy(c->path, sizeof c->path, path);
	return 0;
}

bool cgroup_is_there(const struct cgroup *c)
{
	return c->path[0] != '\0';
}

int cgroup_make(const struct cgroup *c, const char *name, int *ret_fd, struct err *e)
{
	AUTO_FD int fd = -1;

	*ret_fd = -1;
	if (!cgroup_is_there(c))
		return 0;
	if (mkdirat(c->fd, name, 0755) < 0 && errno != EEXIST)
		return err_sys(e, RESOURCE, "make the cgroup '%s/%s'", c->path, name);
	fd = openat(c->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, RESOURCE, "open the cgroup '%s/%s'", c->path, name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

void cgroup_remove(const struct cgroup *c, const char *name)
{
	/* A folder that is still busy is swept by the next supervisor. */
	if (cgroup_is_there(c))
		unlinkat(c->fd, name, AT_REMOVEDIR);
}

static void end_folder(const struct cgroup *c, const char *name)
{
	char path[300];

	snprintf(path, sizeof path, "%s/cgroup.kill", name);
	AUTO_FD int fd = openat(c->fd, path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) == 1)
		for (int i = 0; i < 100 && unlinkat(c->fd, name, AT_REMOVEDIR) < 0; i++)
			usleep(10000); /* at start only, before there is a loop to hold up */
	else
		unlinkat(c->fd, name, AT_REMOVEDIR);
}

void cgroup_sweep(const struct cgroup *c)
{
	int copy = cgroup_is_there(c) ? fcntl(c->fd, F_DUPFD_CLOEXEC, 3) : -1;
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;

	if (!dir) {
		if (copy >= 0)
			close(copy);
		return;
	}
	rewinddir(dir);
	while ((entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			end_folder(c, entry->d_name);
	closedir(dir);
}

void cgroup_close(struct cgroup *c)
{
	if (!cgroup_is_there(c))
		return;
	close(c->fd);
	rmdir(c->path);
	*c = (struct cgroup){.fd = -1};
}
