/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/kvm.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"
#include "daemon/daemon.h"

enum { PARAMETERS_MOST = 128, KEY = 96, VALUE = 64 };

static const struct {
	const char *key;
	int cap;
} asked[] = {
#define KVM(symbol, name, need, what) {"kvm:" name, KVM_CAP_##symbol},
#include "schemas/kvm.def"
#undef KVM
	{"kvm:vcpus", KVM_CAP_MAX_VCPUS},
	{"kvm:vcpus-recommended", KVM_CAP_NR_VCPUS},
	{"kvm:memslots", KVM_CAP_NR_MEMSLOTS},
};

static int note_number(struct daemon *d, const char *key, int n, struct err *e)
{
	char digits[16];

	snprintf(digits, sizeof digits, "%d", n > 0 ? n : 0);
	return host_fact(d, key, digits, e);
}

/* One that this user may not read, or that is no word, is left out. */
static int note_parameter(struct daemon *d, int folder, const char *module, const char *name,
			  struct err *e)
{
	AUTO_FD int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	char key[KEY], value[VALUE];
	ssize_t n = fd < 0 ? -1 : read(fd, value, sizeof value - 1);

	if (n < 0 ||
	    (size_t)snprintf(key, sizeof key, "parameter:%s.%s", module, name) >= sizeof key)
		return 0;
	value[n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	str_printable(value, strlen(value));
	return host_fact(d, key, value, e);
}

static int note_module(struct daemon *d, const char *module, struct err *e)
{
	char path[64];
	AUTO_DIR DIR *dir = NULL;
	const struct dirent *entry;

	snprintf(path, sizeof path, "/sys/module/%s/parameters", module);
	dir = opendir(path);
	for (int i = 0; dir && i < PARAMETERS_MOST && (entry = readdir(dir)); i++)
		if (entry->d_name[0] != '.' &&
		    note_parameter(d, dirfd(dir), module, entry->d_name, e) < 0)
			return -1;
	return 0;
}

int kvm_note(struct daemon *d, struct err *e)
{
	static const char *const module[] = {"kvm", "kvm_intel", "kvm_amd", "kvm_pvm"};
	AUTO_FD int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (STORE_RUN(&d->store, e, "DELETE FROM host WHERE key GLOB ? OR key GLOB ?",
		      STORE_TEXT("kvm:*"), STORE_TEXT("parameter:*")) < 0)
		return -1;
	if (fd < 0)
		return 0;
	if (note_number(d, "kvm:version", ioctl(fd, KVM_GET_API_VERSION, 0), e) < 0)
		return -1;
	for (size_t i = 0; i < NELEMS(asked); i++)
		if (note_number(d, asked[i].key, ioctl(fd, KVM_CHECK_EXTENSION, asked[i].cap), e) <
		    0)
			return -1;
	for (size_t i = 0; i < NELEMS(module); i++)
		if (note_module(d, module[i], e) < 0)
			return -1;
	return 0;
}
