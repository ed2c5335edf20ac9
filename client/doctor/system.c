/* SPDX-License-Identifier: Apache-2.0 */
/* system.c - the checks of the system: what confines workers, who may come, where things are kept. */
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"
#include "client/doctor/doctor.h"
#include "client/show/size.h"

enum { FILES_LEAST = 4096, DISK_LEAST = 1 << 30 };

void check_cgroup(const struct patient *p, struct finding *f)
{
	static const char *const wanted[] = {"memory", "cpu", "io", "pids"};
	char text[DOCTOR_FILE], padded[DOCTOR_FILE + 2], missing[64] = "";
	size_t n = 0;

	if (!doctor_read(p, "/sys/fs/cgroup/cgroup.controllers", text)) {
		doctor_say(f, DOCTOR_WARNING,
			   "/sys/fs/cgroup is no cgroup v2: workers are held by resource limits "
			   "alone");
		doctor_mend(f, "boot with systemd.unified_cgroup_hierarchy=1");
		return;
	}
	snprintf(padded, sizeof padded, " %s ", text);
	for (size_t i = 0; i < NELEMS(wanted); i++) {
		char word[16];

		snprintf(word, sizeof word, " %s ", wanted[i]);
		if (!strstr(padded, word))
			str_add(missing, sizeof missing, &n, " %s", wanted[i]);
	}
	if (n) {
		doctor_say(f, DOCTOR_WARNING, "there, without the controllers%s", missing);
		doctor_mend(f,
			    "remove cgroup_disable= and v1 hierarchies (cgroup_no_v1=all) from the "
			    "kernel's command line");
	} else {
		doctor_say(f, DOCTOR_OK, "with memory, cpu, io and pids");
	}
}

void check_user_namespaces(const struct patient *p, struct finding *f)
{
	static const char most[] = "/proc/sys/user/max_user_namespaces";
	static const char debian[] = "/proc/sys/kernel/unprivileged_userns_clone";
	static const char ubuntu[] = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
	char text[DOCTOR_FILE];

	if (!doctor_read(p, most, text)) {
		doctor_say(f, DOCTOR_WARNING,
			   "this kernel has none: a layer of the sandbox is missing");
		doctor_mend(f, "take a kernel with CONFIG_USER_NS");
	} else if (strtoll(text, NULL, 10) == 0) {
		doctor_say(f, DOCTOR_WARNING,
			   "user.max_user_namespaces is 0: a layer of the sandbox is "
			   "missing");
		doctor_mend(f, "sysctl -w user.max_user_namespaces=16384");
	} else if ((doctor_read(p, debian, text) && !strcmp(text, "0")) ||
		   (doctor_read(p, ubuntu, text) && !strcmp(text, "1"))) {
		doctor_say(f, DOCTOR_NOTE,
			   "for root alone: qvmd as root has them, `qvm` from a shell does "
			   "without");
		doctor_mend(f, "sysctl -w kernel.unprivileged_userns_clone=1, or "
			       "kernel.apparmor_restrict_unprivileged_userns=0");
	} else {
		doctor_say(f, DOCTOR_OK, "allowed");
	}
}

void check_seccomp(const struct patient *p, struct finding *f)
{
	(void)p;
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0) {
		doctor_say(f, DOCTOR_OK, "there");
		return;
	}
	doctor_say(f, DOCTOR_ERROR, "this kernel has none: no worker can close its sandbox");
	doctor_mend(f, "take a kernel with CONFIG_SECCOMP_FILTER");
}

void check_landlock(const struct patient *p, struct finding *f)
{
	enum { VERSION = 1 };
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION);

	(void)p;
	if (abi > 0) {
		doctor_say(f, DOCTOR_OK, "there, ABI %ld", abi);
		return;
	}
	doctor_say(f, DOCTOR_NOTE, "off or not there: a layer of the sandbox is missing");
	doctor_mend(f, "a kernel from 5.13 on, with landlock in lsm= of its command line");
}

void check_systemd(const struct patient *p, struct finding *f)
{
	if (doctor_is_there(p, "/run/systemd/system")) {
		doctor_say(f, DOCTOR_OK, "runs this machine: each VM gets a scope of its own");
		return;
	}
	doctor_say(f, DOCTOR_NOTE,
		   "does not run this machine: nobody starts qvmd again when it ends");
	doctor_mend(f, "another supervisor of services can run `qvmd --foreground`");
}

void check_journal(const struct patient *p, struct finding *f)
{
	if (doctor_is_there(p, "/run/systemd/journal/socket")) {
		doctor_say(f, DOCTOR_OK, "listens: journalctl QVM_VM=NAME has what VMs say");
		return;
	}
	doctor_say(f, DOCTOR_NOTE, "does not listen: qvmd logs to its standard error");
	doctor_mend(f, "systemctl start systemd-journald, or keep what qvmd prints");
}

void check_groups(const struct patient *p, struct finding *f)
{
	static const char *const name[] = {"qvm", "qvm-operator", "qvm-admin"};
	char missing[64] = "";
	size_t n = 0;

	(void)p;
	for (size_t i = 0; i < NELEMS(name); i++)
		if (!getgrnam(name[i]))
			str_add(missing, sizeof missing, &n, " %s", name[i]);
	if (!n) {
		doctor_say(f, DOCTOR_OK, "qvm, qvm-operator and qvm-admin are there");
		return;
	}
	doctor_say(f, DOCTOR_NOTE, "not there:%s. Nobody but root can be let in by a group",
		   missing);
	doctor_mend(f, "systemd-sysusers, or groupadd -r NAME for each; then start qvmd again");
}

void check_state_folder(const struct patient *p, struct finding *f)
{
	static const char folder[] = "/var/lib/qvm";
	char path[DOCTOR_FILE], size[SIZE_TEXT];
	struct statvfs fs;
	struct stat st;
	uint64_t left;

	if (stat(doctor_path(p, folder, path), &st) < 0) {
		doctor_say(f, DOCTOR_NOTE,
			   "%s is not there yet: qvmd makes it, or keeps its state elsewhere",
			   folder);
		return;
	}
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH | S_IROTH)) {
		doctor_say(f, DOCTOR_WARNING, "%s is not root's alone (uid %u, mode %04o)", folder,
			   st.st_uid, st.st_mode & 07777);
		doctor_mend(f, "chown root %s; chmod 0750 %s", folder, folder);
		return;
	}
	left = statvfs(path, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : 0;
	doctor_say(f, left < DISK_LEAST ? DOCTOR_WARNING : DOCTOR_OK, "%s has %s free", folder,
		   size_text(left, size));
	if (left < DISK_LEAST)
		doctor_mend(f, "make room: without any qvmd starts no VM; `qvmadm dumps VM` lists "
			       "old dumps");
}

void check_core_pattern(const struct patient *p, struct finding *f)
{
	char text[DOCTOR_FILE];

	if (!doctor_read(p, "/proc/sys/kernel/core_pattern", text))
		doctor_say(f, DOCTOR_UNKNOWN, "/proc does not tell");
	else if (*text == '|')
		doctor_say(f, DOCTOR_OK,
			   "go to %.100s; workers, which hold guests' memory, leave none",
			   text + 1 + strspn(text + 1, " "));
	else
		doctor_say(f, DOCTOR_OK,
			   "are files '%.60s'; workers, which hold guests' memory, leave none",
			   text);
}

void check_open_files(const struct patient *p, struct finding *f)
{
	struct rlimit l;

	(void)p;
	if (getrlimit(RLIMIT_NOFILE, &l) < 0) {
		doctor_say(f, DOCTOR_UNKNOWN, "the kernel does not tell");
	} else if (l.rlim_max < FILES_LEAST) {
		doctor_say(f, DOCTOR_WARNING,
			   "a process may have %" PRIu64
			   " at most; qvmd has about four for each VM",
			   (uint64_t)l.rlim_max);
		doctor_mend(f, "LimitNOFILE= of the unit (ours says 65536), or ulimit -Hn %d",
			    FILES_LEAST);
	} else {
		doctor_say(f, DOCTOR_OK, "a process may have %" PRIu64, (uint64_t)l.rlim_max);
	}
}

void check_locked_memory(const struct patient *p, struct finding *f)
{
	char size[SIZE_TEXT];
	struct rlimit l;

	(void)p;
	if (getrlimit(RLIMIT_MEMLOCK, &l) < 0) {
		doctor_say(f, DOCTOR_UNKNOWN, "the kernel does not tell");
	} else if (l.rlim_max == RLIM_INFINITY || geteuid() == 0) {
		doctor_say(f, DOCTOR_OK, "as much as one likes");
	} else {
		doctor_say(f, DOCTOR_NOTE,
			   "this user may lock %s: too little for `qvm` from a shell with a passed "
			   "PCI "
			   "function, which locks all of its guest's memory",
			   size_text(l.rlim_max, size));
		doctor_mend(f, "ulimit -l unlimited, or memlock in /etc/security/limits.d");
	}
}
