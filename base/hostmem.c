/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hostmem.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"

#define DEVICE "/dev/mem"
#define WANT   DEVICE "@0x%" PRIx64 ",0x%" PRIx64

enum { LINE = 256, REGION = 80 };

/* What the host has there. */
struct use {
	bool is_readable; /* there was a line with an address */
	bool is_ram;
	struct hostmem where;
	char name[REGION]; /* the innermost; "" = nothing */
};

static bool is_sound(const struct hostmem *h)
{
	return h->bytes && h->base % HOSTMEM_PAGE == 0 && h->bytes % HOSTMEM_PAGE == 0 &&
	       h->base < HOSTMEM_END && h->bytes <= HOSTMEM_END - h->base;
}

void hostmem_path(const struct hostmem *h, char ret[static HOSTMEM_PATH])
{
	snprintf(ret, HOSTMEM_PATH, WANT, h->base, h->bytes);
}

bool hostmem_of(const char *path, struct hostmem *ret)
{
	char written[HOSTMEM_PATH];
	struct hostmem h;

	if (sscanf(path, DEVICE "@0x%16" SCNx64 ",0x%16" SCNx64, &h.base, &h.bytes) != 2 ||
	    !is_sound(&h))
		return false;
	/* Numbers are only known as they would be written: a path holds nothing else. */
	hostmem_path(&h, written);
	if (strcmp(path, written) != 0)
		return false;
	*ret = h;
	return true;
}

/* 0x and hexadecimal digits. */
static bool take_number(const char **s, uint64_t *ret)
{
	size_t digits = strncmp(*s, "0x", 2) ? 0 : strspn(*s + 2, "0123456789abcdefABCDEF");

	if (digits == 0)
		return false;
	errno = 0;
	*ret = strtoull(*s, NULL, 16);
	*s += 2 + digits;
	return errno == 0;
}

int hostmem_read(const char *whole, struct hostmem *ret, struct err *e)
{
	const char *text = whole;
	struct hostmem h;
	bool is_read = take_number(&text, &h.base) && *text++ == ',';

	text += is_read ? strspn(text, " ") : 0;
	if (!is_read || !take_number(&text, &h.bytes) || *text || !is_sound(&h))
		return err_set(e, INVALID, "'%.60s' is no range of memory: write " HOSTMEM_FORM,
			       whole);
	*ret = h;
	return 0;
}

bool hostmem_is_within(const struct hostmem *h, const struct hostmem *outer)
{
	return h->base >= outer->base && h->base - outer->base <= outer->bytes &&
	       h->bytes <= outer->bytes - (h->base - outer->base);
}

bool hostmem_overlaps(const struct hostmem *a, const struct hostmem *b)
{
	return a->base < b->base ? b->base - a->base < a->bytes : a->base - b->base < b->bytes;
}

/* One line of /proc/iomem, "  fe000000-fe0fffff : name". */
static void take_line(const char *line, const struct hostmem *h, struct use *u)
{
	uint64_t first, last;
	char name[REGION];

	if (sscanf(line, " %" SCNx64 "-%" SCNx64 " : %79[^\n]", &first, &last, name) != 3 ||
	    last < first)
		return;
	u->is_readable = u->is_readable || last;
	const struct hostmem there = {first, last - first + 1};
	if (u->is_ram || !hostmem_overlaps(h, &there))
		return;
	/* What lies within another follows it. */
	u->is_ram = !strncmp(name, "System RAM", strlen("System RAM"));
	u->where = there;
	str_copy(u->name, sizeof u->name, name);
}

static int find_use(const struct hostmem *h, int iomem, struct use *ret, struct err *e)
{
	AUTO_FD int fd = fcntl(iomem, F_DUPFD_CLOEXEC, 0);
	AUTO_FILE FILE *f = fd >= 0 && lseek(fd, 0, SEEK_SET) == 0 ? fdopen(fd, "r") : NULL;
	char line[LINE];

	*ret = (struct use){0};
	if (!f)
		return err_sys(e, RESOURCE, "read /proc/iomem, which tells what is memory");
	(void)TAKE_FD(fd);
	while (fgets(line, sizeof line, f))
		take_line(line, h, ret);
	if (ferror(f))
		return err_sys(e, RESOURCE, "read /proc/iomem, which tells what is memory");
	return 0;
}

static int judge(const struct hostmem *h, int iomem, struct use *ret, struct err *e)
{
	if (find_use(h, iomem, ret, e) < 0)
		return -1;
	if (!ret->is_readable)
		return err_set(e, RESOURCE,
			       "/proc/iomem shows its addresses to root alone, and without them "
			       "memory that the host uses is not told from a device's: start it as "
			       "root");
	if (ret->is_ram)
		return err_set(e, RESOURCE,
			       "0x%" PRIx64 ",0x%" PRIx64 " of the host's memory is in its RAM "
			       "(%s 0x%" PRIx64 "-0x%" PRIx64 "), which its kernel uses: pass what "
			       "/proc/iomem shows as a device, or RAM kept from the kernel by its "
			       "parameter memmap=; for memory to share, a file",
			       h->base, h->bytes, ret->name, ret->where.base,
			       ret->where.base + ret->where.bytes - 1);
	return 0;
}

static int no_device(struct err *e)
{
	return err_set(e, RESOURCE,
		       "this host has no " DEVICE " (its kernel has no CONFIG_DEVMEM, or a "
		       "container hides it): pass the device by UIO, as =uio:N");
}

int hostmem_judge(const struct hostmem *h, int iomem, struct err *e)
{
	struct use ignored;

	return judge(h, iomem, &ignored, e);
}

int hostmem_probe(const struct hostmem *h, int iomem, struct err *e)
{
	return access(DEVICE, F_OK) < 0 ? no_device(e) : hostmem_judge(h, iomem, e);
}

static int open_device(bool is_writer, int *ret_fd, struct err *e)
{
	*ret_fd = open(DEVICE, (is_writer ? O_RDWR : O_RDONLY) | O_SYNC | O_CLOEXEC);
	if (*ret_fd >= 0)
		return 0;
	if (errno == ENOENT || errno == ENXIO)
		return no_device(e);
	if (errno == EPERM)
		return err_set(e, RESOURCE,
			       "open " DEVICE ": it takes CAP_SYS_RAWIO (of a unit of systemd, in "
			       "CapabilityBoundingSet=) and a kernel that is not locked down, see "
			       "/sys/kernel/security/lockdown; else pass the device by UIO, as "
			       "=uio:N");
	return err_sys(e, RESOURCE, "open " DEVICE);
}

/* Readers beside readers, as of files. */
static int claim(int fd, const struct hostmem *h, bool is_writer, struct err *e)
{
	struct flock lock = {.l_type = is_writer ? F_WRLCK : F_RDLCK,
			     .l_whence = SEEK_SET,
			     .l_start = (off_t)h->base,
			     .l_len = (off_t)h->bytes};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return err_set(e, RESOURCE,
			       "0x%" PRIx64 ",0x%" PRIx64 " of the host's memory, or a part of it, "
			       "is passed to a guest already: it has one owner; end the VM that "
			       "has it",
			       h->base, h->bytes);
	return err_sys(e, RESOURCE, "lock a range of " DEVICE);
}

/* As the worker will: the kernel's no is heard here, where there are words for it. */
static int try_mapping(int fd, const struct hostmem *h, bool is_writer, const struct use *u,
		       struct err *e)
{
	void *p = mmap(NULL, h->bytes, is_writer ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
		       fd, (off_t)h->base);

	if (p != MAP_FAILED) {
		munmap(p, h->bytes);
		return 0;
	}
	if (errno == EPERM)
		return err_set(e, RESOURCE,
			       "the host's kernel gives nobody 0x%" PRIx64 ",0x%" PRIx64
			       " of its memory%s%s%s: a driver has it (CONFIG_IO_STRICT_DEVMEM) or "
			       "it is RAM; unbind the driver, or pass the device by UIO, as =uio:N",
			       h->base, h->bytes, u->name[0] ? ", '" : "", u->name,
			       u->name[0] ? "' in /proc/iomem" : "");
	return err_sys(e, RESOURCE,
		       "map 0x%" PRIx64 ",0x%" PRIx64 " of " DEVICE
		       " (EINVAL: beyond what this processor addresses, or cached elsewhere)",
		       h->base, h->bytes);
}

int hostmem_open(const struct hostmem *h, bool is_writer, int iomem, int *ret_fd, struct err *e)
{
	AUTO_FD int fd = -1;
	struct use use;

	if (judge(h, iomem, &use, e) < 0 || open_device(is_writer, &fd, e) < 0 ||
	    claim(fd, h, is_writer, e) < 0 || try_mapping(fd, h, is_writer, &use, e) < 0)
		return -1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}
