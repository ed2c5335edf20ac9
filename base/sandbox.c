/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"

/* Newer than Debian 12's headers; the kernel is asked at run time. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE		 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif
struct landlock_rules {
	uint64_t fs;	 /* ABI 1 */
	uint64_t net;	 /* ABI 4 */
	uint64_t scoped; /* ABI 6 */
};
enum { LANDLOCK_NET_ALL = 3, LANDLOCK_SCOPE_ALL = 3 };

static const struct {
	uint32_t layer;
	int clone_flag;
} namespaces[] = {
	{SANDBOX_MOUNT_NS, CLONE_NEWNS},      {SANDBOX_NET_NS, CLONE_NEWNET},
	{SANDBOX_IPC_NS, CLONE_NEWIPC},	      {SANDBOX_UTS_NS, CLONE_NEWUTS},
	{SANDBOX_CGROUP_NS, CLONE_NEWCGROUP},
};

static const char *const layer_name[] = {
	"user-namespace",  "mount-namespace",  "pid-namespace",	 "net-namespace", "ipc-namespace",
	"uts-namespace",   "cgroup-namespace", "empty-root",	 "limits",	  "own-uid",
	"no-capabilities", "no-new-privs",     "no-exec-memory", "landlock",	  "seccomp",
};
_Static_assert(1 << NELEMS(layer_name) == SANDBOX_ALL + 1, "a name for each layer");

const char *sandbox_layer_name(unsigned bit)
{
	return bit < NELEMS(layer_name) ? layer_name[bit] : NULL;
}

const char *sandbox_missing(uint32_t layers, char *ret, size_t cap)
{
	size_t n = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < NELEMS(layer_name); i++)
		if (!(layers & 1u << i))
			str_add(ret, cap, &n, "%s%s", n ? ", " : "", layer_name[i]);
	return ret;
}

static int write_file(const char *path, const char *text)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/* An ordinary user needs a user namespace first: it lends the rights to make the others. */
static int borrow_root(struct err *e)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[32];

	if (unshare(CLONE_NEWUSER) < 0)
		return err_sys(e, RESOURCE,
			       "make a user namespace (sysctl user.max_user_namespaces)");
	if (write_file("/proc/self/setgroups", "deny") < 0)
		return err_sys(e, RESOURCE, "deny setgroups in the new user namespace");
	snprintf(map, sizeof map, "0 %u 1", uid);
	if (write_file("/proc/self/uid_map", map) < 0)
		return err_sys(e, RESOURCE, "map uid %u in the new user namespace", uid);
	snprintf(map, sizeof map, "0 %u 1", gid);
	if (write_file("/proc/self/gid_map", map) < 0)
		return err_sys(e, RESOURCE, "map gid %u in the new user namespace", gid);
	return 0;
}

static int make_namespaces(uint32_t made, uint32_t *layers, struct err *e)
{
	for (size_t i = 0; i < NELEMS(namespaces); i++) {
		if (!(made & namespaces[i].layer) && unshare(namespaces[i].clone_flag) < 0)
			return err_sys(e, RESOURCE, "make a %s",
				       layer_name[__builtin_ctz(namespaces[i].layer)]);
		*layers |= namespaces[i].layer;
	}
	return 0;
}

/* pivot_root(".", "."): the old root ends up below the new one and is detached. */
static int empty_root(const char *keep_dir, struct err *e)
{
	AUTO_FD int keep = keep_dir ? open(keep_dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	char from[40];

	if (keep_dir && keep < 0)
		return err_sys(e, RESOURCE, "open folder '%s'", keep_dir);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, RESOURCE, "make the mounts private");
	if (mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,mode=755") <
	    0)
		return err_sys(e, RESOURCE, "mount an empty root on /tmp");
	if (chdir("/tmp") < 0)
		return err_sys(e, RESOURCE, "enter the empty root");
	if (keep_dir) {
		snprintf(from, sizeof from, "/proc/self/fd/%d", keep);
		if (mkdir("state", 0755) < 0 || mount(from, "state", NULL, MS_BIND, NULL) < 0 ||
		    mount(NULL, "state", NULL,
			  MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			  NULL) < 0)
			return err_sys(e, RESOURCE, "show '%s' read-only", keep_dir);
	}
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(e, RESOURCE, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(e, RESOURCE, "leave the old root");
	if (mount(NULL, "/", NULL,
		  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return err_sys(e, RESOURCE, "make the empty root read-only");
	return 0;
}

static int set_limit(__rlimit_resource_t what, rlim_t most, struct err *e)
{
	struct rlimit l;

	if (getrlimit(what, &l) < 0)
		return err_sys(e, RESOURCE, "read a resource limit");
	if (most < l.rlim_max)
		l.rlim_max = most;
	l.rlim_cur = l.rlim_max;
	if (setrlimit(what, &l) < 0)
		return err_sys(e, RESOURCE, "set a resource limit");
	return 0;
}

static int limit(const struct sandbox_spec *s, struct err *e)
{
	if (set_limit(RLIMIT_CORE, 0, e) < 0 || set_limit(RLIMIT_NOFILE, s->max_fds, e) < 0)
		return -1;
	if (s->max_threads && s->uid && set_limit(RLIMIT_NPROC, s->max_threads, e) < 0)
		return -1;
	return 0;
}

/* No way back to a capability: through exec, a setuid file or uid 0. Each user namespace starts with
 * a full bounding set, so this is done in each. Without CAP_SETPCAP there is nothing to lose. */
static int close_the_way_back(struct err *e)
{
	for (int c = 0; prctl(PR_CAPBSET_READ, c) >= 0; c++)
		if (prctl(PR_CAPBSET_DROP, c) < 0 && errno != EPERM)
			return err_sys(e, RESOURCE, "drop capability %d from the bounding set", c);
	if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
					     SECBIT_NO_SETUID_FIXUP_LOCKED |
					     SECBIT_KEEP_CAPS_LOCKED) < 0 &&
	    errno != EPERM)
		return err_sys(e, RESOURCE, "lock the securebits");
	return 0;
}

/* The bounding set and the securebits need a capability that setresuid takes away: they go first. */
static int become(const struct sandbox_spec *s, uint32_t *layers, struct err *e)
{
	if (geteuid() != 0 || s->uid == 0)
		return 0;
	if (close_the_way_back(e) < 0)
		return -1;
	if (setgroups(0, NULL) < 0 || setresgid(s->gid, s->gid, s->gid) < 0 ||
	    setresuid(s->uid, s->uid, s->uid) < 0)
		return err_sys(e, RESOURCE, "become uid %u", s->uid);
	*layers |= SANDBOX_OWN_UID;
	return 0;
}

static int drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {0};

	if (close_the_way_back(e) < 0)
		return -1;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &h, none) < 0)
		return err_sys(e, RESOURCE, "drop all capabilities");
	return 0;
}

/* Landlock: nothing may be opened, bound, connected; with keep_dir, /state may be read. */
static int landlock(bool keep, uint32_t *layers, struct err *e)
{
	struct landlock_rules r = {.net = LANDLOCK_NET_ALL, .scoped = LANDLOCK_SCOPE_ALL};
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	static const uint8_t fs_bits[] = {0, 13, 14, 15, 15, 16}; /* access rights known, by ABI */
	size_t size;

	if (abi < 1)
		return 0; /* reported as a missing layer */
	r.fs = (UINT64_C(1) << fs_bits[abi < 5 ? abi : 5]) - 1;
	size = abi >= 6	  ? sizeof r
	       : abi >= 4 ? offsetof(struct landlock_rules, scoped)
			  : offsetof(struct landlock_rules, net);
	AUTO_FD int set = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
	if (set < 0)
		return err_sys(e, RESOURCE, "make a Landlock ruleset");
	if (keep) {
		AUTO_FD int dir = open("/state", O_PATH | O_CLOEXEC);
		struct landlock_path_beneath_attr p = {
			.allowed_access =
				LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
			.parent_fd = dir,
		};

		if (dir < 0 ||
		    syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &p, 0))
			return err_sys(e, RESOURCE, "let Landlock show /state");
	}
	if (syscall(SYS_landlock_restrict_self, set, 0) < 0)
		return err_sys(e, RESOURCE, "enter the Landlock ruleset");
	*layers |= SANDBOX_LANDLOCK;
	return 0;
}

int sandbox_enter(const struct sandbox_spec *s, uint32_t *ret_layers, struct err *e)
{
	uint32_t layers = s->made;
	bool root = geteuid() == 0;

	if (!root && !(s->made & SANDBOX_USER_NS)) {
		if (borrow_root(e) < 0)
			return -1;
		layers |= SANDBOX_USER_NS;
	}
	if (make_namespaces(s->made, &layers, e) < 0 || empty_root(s->keep_dir, e) < 0)
		return -1;
	layers |= SANDBOX_EMPTY_ROOT;
	if (limit(s, e) < 0 || become(s, &layers, e) < 0)
		return -1;
	layers |= SANDBOX_LIMITS;
	if (!(layers & SANDBOX_USER_NS) && unshare(CLONE_NEWUSER) == 0)
		layers |= SANDBOX_USER_NS;
	if (drop_capabilities(e) < 0)
		return -1;
	layers |= SANDBOX_NO_CAPS;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, RESOURCE, "set no_new_privs");
	layers |= SANDBOX_NO_NEW_PRIVS;
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0)
		layers |= SANDBOX_NO_EXEC_MEMORY;
	if (landlock(s->keep_dir != NULL, &layers, e) < 0)
		return -1;
	*ret_layers = layers;
	return 0;
}

int sandbox_narrow(uint64_t capabilities, struct err *e)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct now[2];

	if (syscall(SYS_capget, &h, now) < 0)
		return err_sys(e, RESOURCE, "ask for the capabilities of this process");
	for (unsigned i = 0; i < 2; i++) {
		now[i].permitted &= (uint32_t)(capabilities >> 32 * i);
		now[i].effective = now[i].permitted;
		now[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &h, now) < 0)
		return err_sys(e, RESOURCE, "drop most capabilities");
	if (set_limit(RLIMIT_CORE, 0, e) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, RESOURCE, "set no_new_privs");
	return 0;
}

/* What the address sanitizer's runtime calls in passing, whatever the process is for. */
static const struct sandbox_allow sanitizer[] = {
#ifdef __SANITIZE_ADDRESS__
	SANDBOX_CALL(gettid),
	SANDBOX_CALL(madvise),
	SANDBOX_CALL(mprotect),
	SANDBOX_CALL(sigaltstack),
#endif
	SANDBOX_END,
};

#ifdef __SANITIZE_ADDRESS__
/* The leak checker looks at the process through /proc and ptrace, which a filter has taken away: it
 * asks this before it starts. Leaks show in the runs that close no sandbox. */
static bool is_closed;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return is_closed;
}

static void note_closed(void)
{
	is_closed = true;
}

/* A crash is what it is without the sanitizer: the death by a signal. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0";
}
#else
static void note_closed(void) {}
#endif

static int add_rules(scmp_filter_ctx f, const struct sandbox_allow *a)
{
	int rc = 0;

	for (; (rc == 0 || rc == -EEXIST) && a->nr >= 0; a++)
		rc = a->arg < 0
			     ? seccomp_rule_add(f, SCMP_ACT_ALLOW, a->nr, 0)
			     : seccomp_rule_add(f, SCMP_ACT_ALLOW, a->nr, 1,
						SCMP_CMP((unsigned)a->arg, SCMP_CMP_EQ, a->value));
	return rc == -EEXIST ? 0 : rc; /* two vdevs may want the same call */
}

int sandbox_filter(const struct sandbox_allow *const *lists, unsigned n_lists, struct err *e)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_TRAP);
	int rc = f ? 0 : -ENOMEM;

	if (f) {
		/* no_new_privs is set already, and a second filter may not call prctl() any more */
		seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, 0);
		seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
		seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	}
	for (unsigned i = 0; rc == 0 && i < n_lists; i++)
		rc = add_rules(f, lists[i]);
	if (rc == 0)
		rc = add_rules(f, sanitizer);
	if (rc == 0)
		rc = seccomp_load(f);
	seccomp_release(f);
	note_closed();
	if (rc < 0) {
		errno = -rc;
		return err_sys(e, RESOURCE, "load a seccomp filter");
	}
	return 0;
}
