/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hostports.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/stat.h>

#include "base/auto.h"

#define WANT "/dev/port@0x%" PRIx32 ",0x%" PRIx32

static bool are_sound(const struct hostports *p)
{
	return p->n && p->base < HOSTPORTS_END && p->n <= HOSTPORTS_END - p->base;
}

void hostports_path(const struct hostports *p, char ret[static HOSTPORTS_PATH])
{
	snprintf(ret, HOSTPORTS_PATH, WANT, p->base, p->n);
}

bool hostports_of(const char *path, struct hostports *ret)
{
	char written[HOSTPORTS_PATH];
	struct hostports p;

	if (sscanf(path, "/dev/port@0x%5" SCNx32 ",0x%5" SCNx32, &p.base, &p.n) != 2 ||
	    !are_sound(&p))
		return false;
	/* Numbers are only known as they would be written: a path holds nothing else. */
	hostports_path(&p, written);
	if (strcmp(path, written) != 0)
		return false;
	*ret = p;
	return true;
}

/* 0x and hexadecimal digits, or decimal ones. */
static bool take_number(const char **s, uint32_t *ret)
{
	bool is_hex = !strncmp(*s, "0x", 2);
	const char *from = *s + (is_hex ? 2 : 0);
	size_t digits = strspn(from, is_hex ? "0123456789abcdefABCDEF" : "0123456789");

	if (digits == 0 || digits > 5)
		return false;
	*ret = (uint32_t)strtoul(from, NULL, is_hex ? 16 : 10);
	*s = from + digits;
	return true;
}

int hostports_read(const char *whole, struct hostports *ret, const char **ret_rest, struct err *e)
{
	const char *text = whole;
	struct hostports p;

	if (!take_number(&text, &p.base) || *text++ != ',' || !take_number(&text, &p.n) ||
	    (*text && *text != ' ' && *text != '\t') || !are_sound(&p))
		return err_set(e, INVALID,
			       "'%.60s' does not begin with ports: write " HOSTPORTS_FORM, whole);
	*ret = p;
	*ret_rest = text + strspn(text, " \t");
	return 0;
}

bool hostports_are_within(const struct hostports *p, const struct hostports *outer)
{
	return p->base >= outer->base && p->base + p->n <= outer->base + outer->n;
}

bool hostports_overlap(const struct hostports *a, const struct hostports *b)
{
	return a->base < b->base + b->n && b->base < a->base + a->n;
}

int hostports_permit(const struct hostports *p, bool is_open, struct err *e)
{
	if (ioperm(p->base, p->n, is_open) == 0)
		return 0;
	if (errno == EPERM)
		return err_set(e, RESOURCE,
			       "open the ports 0x%" PRIx32 ",%" PRIu32
			       " of the host: it takes CAP_SYS_RAWIO and ioperm() (of a unit of "
			       "systemd, in CapabilityBoundingSet= and SystemCallFilter=) and a "
			       "kernel that is not locked down, see /sys/kernel/security/lockdown",
			       p->base, p->n);
	if (errno == ENOSYS)
		return err_set(e, RESOURCE,
			       "open the ports 0x%" PRIx32 ",%" PRIu32
			       " of the host: its kernel has no ioperm() (CONFIG_X86_IOPL_IOPERM); "
			       "use one that has, or a vdev for what the guest needs",
			       p->base, p->n);
	return err_sys(e, RESOURCE, "open the ports 0x%" PRIx32 ",%" PRIu32 " of the host", p->base,
		       p->n);
}

static int open_lock(int *ret_fd, struct err *e)
{
	AUTO_FD int fd = -1;
	struct stat st;

	if (mkfifo(HOSTPORTS_LOCK, 0600) < 0 && errno != EEXIST)
		return err_sys(e, RESOURCE,
			       "make " HOSTPORTS_LOCK ", by whose lock ports have one owner");
	fd = open(HOSTPORTS_LOCK, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, RESOURCE,
			       "open " HOSTPORTS_LOCK ", by whose lock ports have one owner");
	if (!S_ISFIFO(st.st_mode) || st.st_uid != 0 || st.st_mode & 0077)
		return err_set(e, RESOURCE,
			       HOSTPORTS_LOCK " is no FIFO of root alone: remove what is there");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int hostports_claim(const struct hostports *p, int *ret_fd, struct err *e)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = p->base, .l_len = p->n};
	AUTO_FD int fd = -1;

	if (open_lock(&fd, e) < 0)
		return -1;
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
		*ret_fd = TAKE_FD(fd);
		return 0;
	}
	if (errno == EAGAIN || errno == EACCES)
		return err_set(e, RESOURCE,
			       "some of the ports 0x%" PRIx32 ",%" PRIu32
			       " of the host are passed to a guest already: a port has one owner; "
			       "end the VM that has it",
			       p->base, p->n);
	return err_sys(e, RESOURCE, "lock " HOSTPORTS_LOCK);
}

uint32_t hostports_in(uint16_t port, unsigned width)
{
	return width == 1 ? inb(port) : width == 2 ? inw(port) : inl(port);
}

void hostports_out(uint16_t port, unsigned width, uint32_t value)
{
	if (width == 1)
		outb((uint8_t)value, port);
	else if (width == 2)
		outw((uint16_t)value, port);
	else
		outl(value, port);
}
