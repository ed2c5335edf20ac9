/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vdev/hostform.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/message.h"
#include "vmm/vdev/hostdev.h"
#include "vmm/vdev/vdev.h"

static int want_path(struct vdev *d, uint32_t kind, const char *form, const char *path,
		     struct err *e)
{
	if (!*path || !strcmp(path, "-"))
		return err_set(e, CONFIG,
			       "hostdev '%s' names no place; write `pty:LINK` or `unix:PATH`",
			       form);
	return vdev_want(d, kind, path, e);
}

static int set_command(struct vdev *d, const char *form, struct err *e)
{
	const char *command = form + 2 + strspn(form + 2, " \t");

	if (!*command)
		return err_set(e, CONFIG, "hostdev '%s' names no command; write >\"|COMMAND\"",
			       form);
	return vdev_want(d, WANT_COMMAND, command, e);
}

int hostform_set(struct vdev *d, const char *form, struct err *e)
{
	const char *path = form + (*form == '<' || *form == '>');

	if (!strcmp(form, "pty"))
		return vdev_want(d, WANT_PTY, "", e);
	if (!strncmp(form, "pty:", 4))
		return want_path(d, WANT_PTY, form, form + 4, e);
	if (!strncmp(form, "unix:", 5))
		return want_path(d, WANT_SOCKET, form, form + 5, e);
	if (*form == '>' && *path == '|')
		return set_command(d, form, e);
	if (*path == '|')
		return err_set(e, CONFIG,
			       "hostdev '%s': a command reads what the guest prints and types "
			       "nothing; write >\"|COMMAND\", or <FIFO for what it is to type",
			       form);
	if (!*path)
		return err_set(e, CONFIG,
			       "hostdev '%s' names no file; write >FILE, <FILE, FILE, >- or -",
			       form);
	if (*form != '<' && vdev_want(d, WANT_OUTPUT, path, e) < 0)
		return -1;
	return *form != '>' ? vdev_want(d, WANT_INPUT, path, e) : 0;
}

static int read_number(const char *value, uint32_t most, uint32_t *ret)
{
	char *rest;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &rest, 10);
	if (value[0] < '0' || value[0] > '9' || *rest || errno || n > most)
		return -1;
	*ret = (uint32_t)n;
	return 0;
}

int hostform_delayed(struct vdev *d, const char *value, struct err *e)
{
	enum { MOST_S = 86400 };

	if (!strcmp(value, "forever")) {
		d->hostdev->delayed_s = UINT32_MAX;
		return 0;
	}
	if (read_number(value, MOST_S, &d->hostdev->delayed_s) < 0)
		return err_set(e, CONFIG,
			       "'%.32s' is no delay: write seconds, 0 to %d, or `forever`", value,
			       MOST_S);
	return 0;
}

int hostform_batch(struct vdev *d, const char *value, struct err *e)
{
	enum { MOST_US = 1000000 };
	uint32_t usec;

	if (read_number(value, MOST_US, &usec) < 0)
		return err_set(e, CONFIG,
			       "'%.32s' is no time to gather output: write microseconds, "
			       "0 to %d",
			       value, MOST_US);
	d->hostdev->batch_ns = usec * 1000ull;
	return 0;
}

int hostform_sched(struct vdev *d, const char *value, struct err *e)
{
	(void)d;
	return err_set(e, CONFIG,
		       "'sched %.32s' has no thread to set the priority of: one loop of the worker "
		       "serves the input of all vdevs; leave it out",
		       value);
}
