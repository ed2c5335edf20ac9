/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"
#include "daemon/worker/controller.h"

#define PARTITION_FOLDER "part-" /* folders of workers lie in it */

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

/* The place of a process in it: the line "0::/path". */
static int find_place(const char *process, char *ret, size_t cap, struct err *e)
{
	char line[CGROUP_PATH], path[40];

	snprintf(path, sizeof path, "/proc/%.20s/cgroup", process);
	AUTO_FILE FILE *f = fopen(path, "re");
	if (!f)
		return err_sys(e, RESOURCE, "read '%s'", path);
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::", 3) &&
		    str_copy(ret, cap, strcmp(line, "0::/") ? line + 3 : ""))
			return 0;
	}
	return err_set(e, RESOURCE, "process %s is in no cgroup2", process);
}

const char *cgroup_of(pid_t pid, char ret[static CGROUP_PATH])
{
	char mount[CGROUP_PATH / 3], place[CGROUP_PATH / 2], process[24];
	struct err unused;

	snprintf(process, sizeof process, "%d", pid);
	ret[0] = '\0';
	if (find_mount(mount, sizeof mount, &unused) == 0 &&
	    find_place(process, place, sizeof place, &unused) == 0)
		snprintf(ret, CGROUP_PATH, "%s%s", mount, place);
	return ret;
}

uint32_t cgroup_offered(void)
{
	char mount[CGROUP_PATH];
	struct err unused;

	if (find_mount(mount, sizeof mount, &unused) < 0)
		return 0;
	AUTO_FD int folder = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder >= 0 ? controller_there(folder) : 0;
}

/* May we change the cgroup that we were started in? A systemd marks what it has given away. */
static bool is_delegated(int own)
{
	char mark[2] = "";

	return sd_booted() <= 0 ||
	       (fgetxattr(own, "trusted.delegate", mark, 1) == 1 && *mark == '1') ||
	       (fgetxattr(own, "user.delegate", mark, 1) == 1 && *mark == '1');
}

bool cgroup_enter(int folder)
{
	AUTO_FD int fd = openat(folder, "cgroup.procs", O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, "0", 1) == 1;
}

static bool is_empty(int folder)
{
	char c;
	AUTO_FD int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, &c, 1) == 0;
}

/* Into a folder of our own, so that the one we were in holds no process. The root, which alone has no
 * type, may hold some. To try first would be wrong: cpu and pids are handed down all the same, and
 * make the folders below of a kind that takes no processes. */
static int step_aside(struct cgroup *c, int own, struct err *e)
{
	if (faccessat(own, "cgroup.type", F_OK, 0) < 0)
		return 0;
	if (mkdirat(own, "supervisor", 0755) < 0 && errno != EEXIST)
		return err_sys(e, RESOURCE, "make the cgroup '%s/supervisor'", c->own);
	AUTO_FD int folder = openat(own, "supervisor", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	c->is_moved = folder >= 0 && cgroup_enter(folder);
	if (!c->is_moved)
		return err_sys(e, RESOURCE, "move to the cgroup '%s/supervisor'", c->own);
	if (is_empty(own))
		return 0;
	return err_set(e, RESOURCE,
		       "there are other processes in the cgroup '%s': start qvmd in one of its own",
		       c->own);
}

static void step_back(struct cgroup *c, int own)
{
	controller_disable(own, c->handed_down);
	if (c->is_moved)
		cgroup_enter(own);
	unlinkat(own, "supervisor", AT_REMOVEDIR);
	c->is_moved = false;
	c->handed_down = 0;
}

static int open_own(struct cgroup *c, struct err *e)
{
	char mount[CGROUP_PATH / 3], place[CGROUP_PATH / 3];
	int fd;

	if (find_mount(mount, sizeof mount, e) < 0 ||
	    find_place("self", place, sizeof place, e) < 0)
		return -1;
	snprintf(c->own, sizeof c->own, "%s%s", mount, place);
	fd = open(c->own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, RESOURCE, "open the cgroup '%s'", c->own) : fd;
}

/* Controllers down to the folders of the workers. */
static int hand_down(struct cgroup *c, int own, struct err *e)
{
	int why;

	if (!is_delegated(own))
		return err_set(
			e, RESOURCE,
			"the cgroup '%s' belongs to systemd: add Delegate=memory pids cpu io to "
			"the unit of qvmd",
			c->own);
	if (step_aside(c, own, e) < 0) {
		step_back(c, own);
		return -1;
	}
	c->handed_down = controller_enable(own);
	why = errno;
	if (!c->handed_down) {
		step_back(c, own);
		errno = why;
		return why ? err_sys(e, RESOURCE, "hand the controllers of '%s' down", c->own)
			   : err_set(e, RESOURCE,
				     "the cgroup '%s' has none of the controllers memory, cpu, io "
				     "and "
				     "pids",
				     c->own);
	}
	c->limits = controller_enable(c->fd);
	return 0;
}

int cgroup_open(struct cgroup *c, const char *state_dir, struct err *e)
{
	char path[CGROUP_PATH];
	struct stat st;

	*c = (struct cgroup){.fd = -1};
	if (stat(state_dir, &st) < 0)
		return err_sys(e, RESOURCE, "look at '%s'", state_dir);
	AUTO_FD int own = open_own(c, e);
	if (own < 0)
		return -1;
	snprintf(path, sizeof path, "%.400s/qvm-%llx-%llx", c->own, (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, RESOURCE, "make the cgroup '%s'", path);
	c->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->fd < 0)
		return err_sys(e, RESOURCE, "open the cgroup '%s'", path);
	str_copy(c->path, sizeof c->path, path);
	return hand_down(c, own, e);
}

bool cgroup_is_there(const struct cgroup *c)
{
	return c->path[0] != '\0';
}

/* A folder of the subtree, made if absent; the caller's descriptor. */
static int make_folder(const struct cgroup *c, const char *path, struct err *e)
{
	int fd;

	if (mkdirat(c->fd, path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, RESOURCE, "make the cgroup '%s/%s'", c->path, path);
	fd = openat(c->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	err_sys(e, RESOURCE, "open the cgroup '%s/%s'", c->path, path);
	cgroup_remove(c, path);
	return -1;
}

int cgroup_make(const struct cgroup *c, const char *name, int *ret_fd, struct err *e)
{
	*ret_fd = -1;
	if (!cgroup_is_there(c))
		return 0;
	*ret_fd = make_folder(c, name, e);
	return *ret_fd < 0 ? -1 : 0;
}

void cgroup_remove(const struct cgroup *c, const char *name)
{
	char partition[CGROUP_FOLDER];

	/* A folder that is still busy is swept by the next supervisor. */
	if (!cgroup_is_there(c))
		return;
	unlinkat(c->fd, name, AT_REMOVEDIR);
	if (!strchr(name, '/'))
		return;
	str_copy(partition, sizeof partition, name);
	*strchr(partition, '/') = '\0';
	unlinkat(c->fd, partition, AT_REMOVEDIR);
}

int cgroup_join(const struct cgroup *c, const struct partition *p, pid_t pid,
		char name[static CGROUP_FOLDER], bool *ret_holds, struct err *e)
{
	char above[PARTITION_NAME + 8], path[CGROUP_FOLDER], number[16];

	snprintf(above, sizeof above, PARTITION_FOLDER "%s", p->name);
	snprintf(path, sizeof path, "%s/%s", above, name);
	AUTO_FD int folder = make_folder(c, above, e);
	if (folder < 0)
		return -1;
	controller_enable(folder);
	*ret_holds = controller_budget(folder, p);
	AUTO_FD int own = make_folder(c, path, e);
	AUTO_FD int procs = own >= 0 ? openat(own, "cgroup.procs", O_WRONLY | O_CLOEXEC) : -1;
	if (own < 0)
		return -1;
	snprintf(number, sizeof number, "%d", pid);
	if (procs < 0 || write(procs, number, strlen(number)) < 0) {
		err_sys(e, RESOURCE, "move process %d to the cgroup '%s/%s'", pid, c->path, path);
		cgroup_remove(c, path);
		return -1;
	}
	cgroup_remove(c, name);
	str_copy(name, CGROUP_FOLDER, path);
	return 0;
}

int cgroup_kill(const struct cgroup *c, const char *name)
{
	char path[700];

	if (!cgroup_is_there(c))
		return -1;
	snprintf(path, sizeof path, "%s/cgroup.kill", name);
	AUTO_FD int fd = openat(c->fd, path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, "1", 1) == 1 ? 0 : -1;
}

static void end_folder(const struct cgroup *c, const char *name)
{
	if (cgroup_kill(c, name) == 0)
		for (int i = 0; i < 100 && unlinkat(c->fd, name, AT_REMOVEDIR) < 0; i++)
			usleep(10000); /* at start only, before there is a loop to hold up */
	else
		unlinkat(c->fd, name, AT_REMOVEDIR);
}

/* `within`: a partition's folder, or "." */
static void sweep(const struct cgroup *c, const char *within,
		  bool (*is_spared)(void *arg, const char *folder), void *arg)
{
	int fd = openat(c->fd, within, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	char path[600];

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", within, entry->d_name);
		if (!strncmp(entry->d_name, PARTITION_FOLDER, strlen(PARTITION_FOLDER))) {
			sweep(c, path, is_spared, arg);
			unlinkat(c->fd, path, AT_REMOVEDIR);
		} else if (!is_spared(arg, entry->d_name)) {
			end_folder(c, path);
		}
	}
	closedir(dir);
}

void cgroup_sweep(const struct cgroup *c, bool (*is_spared)(void *arg, const char *folder),
		  void *arg)
{
	if (cgroup_is_there(c))
		sweep(c, ".", is_spared, arg);
}

void cgroup_close(struct cgroup *c)
{
	if (!cgroup_is_there(c))
		return;
	close(c->fd);
	rmdir(c->path);
	AUTO_FD int own = open(c->own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Workers that live on keep their limits, and with them our place. */
	if (own >= 0 && access(c->path, F_OK) < 0)
		step_back(c, own);
	*c = (struct cgroup){.fd = -1};
}
