/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vdev/plugin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"
#include "base/trust.h"
#include "vmm/vdev/adapter.h"
#include "vmm/vdev/sdk.h"
#include "vmm/vdev/trial.h"
#include "vmm/vdev/vdev.h"

#define PREFIX "vdev-"
#define SUFFIX ".so"

struct plugin {
	char name[VDEV_NAME];
	int fd; /* -1 = loaded, refused or sealed */
	const struct vdev_class *class;
	char *refusal;
};

/* What dlopen() has mapped is the process's, so its register is too. */
static struct plugins {
	struct plugin *plugin;
	unsigned n;
	char *refusal; /* of the folder */
} plugins;

static char *copy(const char *text)
{
	char *s = strdup(text);

	if (!s)
		abort();
	return s;
}

/* vdev-NAME.so */
static int is_plugin(const struct dirent *d)
{
	size_t n = strlen(d->d_name), around = strlen(PREFIX) + strlen(SUFFIX);

	return n > around && n - around < VDEV_NAME &&
	       !strncmp(d->d_name, PREFIX, strlen(PREFIX)) &&
	       !strcmp(d->d_name + n - strlen(SUFFIX), SUFFIX);
}

/* Loaded is the very file that was judged: by its descriptor. */
static int judge(int folder, const char *file, struct plugin *p, struct err *e)
{
	AUTO_FD int fd = openat(folder, file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st, of;

	if (fd < 0)
		return err_sys(e, CONFIG, "read the vdev '%s'", file);
	if (fstat(fd, &st) < 0 || fstat(folder, &of) < 0)
		return err_sys(e, CONFIG, "look at the vdev '%s'", file);
	if (!S_ISREG(st.st_mode))
		return err_set(e, CONFIG, "the vdev '%s' is no regular file", file);
	/* Who owns the folder decides what lies in it. */
	if (trust_check(fd, file, of.st_uid, e) < 0)
		return -1;
	p->fd = TAKE_FD(fd);
	return 0;
}

/* "vdev 'vdev-NAME.so' is refused: ..." */
static void refuse(struct plugin *p, const char *why)
{
	char text[ERR_MSG + VDEV_NAME + 64];

	snprintf(text, sizeof text, "vdev '" PREFIX "%s" SUFFIX "' is refused: %s", p->name, why);
	p->refusal = copy(text);
}

static void add(int folder, const char *file)
{
	struct plugin *p;
	bool is_taken;
	char name[VDEV_NAME];
	struct err e;

	snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - strlen(PREFIX) - strlen(SUFFIX)),
		 file + strlen(PREFIX));
	is_taken = vdev_class_find(name) != NULL;
	plugins.plugin = reallocarray(plugins.plugin, plugins.n + 1, sizeof *plugins.plugin);
	if (!plugins.plugin)
		abort();
	p = &plugins.plugin[plugins.n++];
	*p = (struct plugin){.fd = -1};
	str_copy(p->name, sizeof p->name, name);
	if (is_taken)
		refuse(p, "qvm has a vdev of that name itself; rename the object and its class");
	else if (judge(folder, file, p, &e) < 0)
		refuse(p, e.msg);
}

void plugin_open(int take_folder, const struct err *why)
{
	AUTO_FD int folder = take_folder;
	struct dirent **entry = NULL;
	int n = folder >= 0 ? scandirat(folder, ".", &entry, is_plugin, alphasort) : -1;
	struct err e = {0};

	if (folder >= 0 && n < 0)
		err_sys(&e, CONFIG, "list the folder of vdevs");
	if (n < 0)
		plugins.refusal = copy(why && folder < 0 ? why->msg : e.msg);
	for (int i = 0; i < n; i++) {
		add(folder, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
}

static int load(struct plugin *p, struct err *e)
{
	const struct qvm_vdev_class *sdk;
	char path[32];
	const char *why;
	void *object;

	snprintf(path, sizeof path, "/proc/self/fd/%d", p->fd);
	if (trial_load(path, e) < 0)
		return -1;
	object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!object) {
		why = dlerror();
		/* the path of the descriptor is no name for people */
		if (!strncmp(why, path, strlen(path)))
			why += strlen(path) + strspn(why + strlen(path), ": ");
		return err_set(e, CONFIG, "it cannot be loaded: %s", why);
	}
	sdk = dlsym(object, "qvm_vdev_class");
	if (!sdk)
		return err_set(e, CONFIG,
			       "it exports no 'qvm_vdev_class': define it as <qvm/vdev.h> says");
	return adapter_make(sdk, p->name, &p->class, e);
}

static void load_or_refuse(struct plugin *p)
{
	struct err e;

	if (p->fd < 0)
		return;
	if (load(p, &e) < 0)
		refuse(p, e.msg);
	close(p->fd);
	p->fd = -1;
}

void plugin_load(const char *text, size_t bytes)
{
	for (unsigned i = 0; i < plugins.n; i++) {
		struct plugin *p = &plugins.plugin[i];

		if (!text || memmem(text, bytes, p->name, strlen(p->name)))
			load_or_refuse(p);
	}
}

void plugin_seal(void)
{
	for (unsigned i = 0; i < plugins.n; i++) {
		struct plugin *p = &plugins.plugin[i];

		if (p->fd >= 0)
			close(p->fd);
		p->fd = -1;
	}
}

static struct plugin *named(const char *name)
{
	for (unsigned i = 0; i < plugins.n; i++)
		if (!strcmp(plugins.plugin[i].name, name))
			return &plugins.plugin[i];
	return NULL;
}

const struct vdev_class *plugin_find(const char *name)
{
	struct plugin *p = named(name);

	if (!p)
		return NULL;
	load_or_refuse(p);
	return p->class;
}

const struct vdev_class *plugin_class(unsigned i)
{
	for (unsigned at = 0; at < plugins.n; at++)
		if (plugins.plugin[at].class && i-- == 0)
			return plugins.plugin[at].class;
	return NULL;
}

const char *plugin_refusal(const char *name)
{
	const struct plugin *p = named(name);

	/* In the sandbox, of a name that the text has only in pieces. */
	if (p && p->fd < 0 && !p->class && !p->refusal)
		return "this vdev of the host is not loaded: write its name as one word, without "
		       "quotes inside it";
	return p ? p->refusal : NULL;
}

const char *plugin_folder_refusal(void)
{
	return plugins.refusal;
}
