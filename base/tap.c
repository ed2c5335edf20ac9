/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tap.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"

const char *tap_name(const char *path)
{
	const char *name = path + strlen(TAP_WANT);

	if (strncmp(path, TAP_WANT, strlen(TAP_WANT)) != 0 || !name[0] || strchr(name, '/') ||
	    strlen(name) >= IFNAMSIZ)
		return NULL;
	return name;
}

int tap_probe(const char *name, struct err *e)
{
	if (if_nametoindex(name))
		return 0;
	return err_set(
		e, RESOURCE,
		"the host has no interface '%s': make it with `ip tuntap add dev %s mode tap` "
		"and `ip link set %s up`",
		name, name, name);
}

static int refused(const char *name, struct err *e)
{
	switch (errno) {
	case EBUSY:
		return err_set(
			e, RESOURCE,
			"interface '%s' is in use: end the program that has it, or give each "
			"guest a TAP of its own",
			name);
	case EPERM:
		return err_set(e, RESOURCE,
			       "interface '%s' belongs to another user: root can give it away, `ip "
			       "tuntap add dev %s mode tap user NAME`",
			       name, name);
	case EINVAL:
		return err_set(e, RESOURCE,
			       "interface '%s' is no TAP with one queue: make one with `ip tuntap "
			       "add dev NAME mode tap`",
			       name);
	default: return err_sys(e, RESOURCE, "open the TAP interface '%s'", name);
	}
}

/* TUNSETIFF makes what is not there, or went away just now: that is not what was asked for. */
static int must_persist(int fd, const char *name, struct err *e)
{
	struct ifreq r = {0};

	if (ioctl(fd, TUNGETIFF, &r) < 0)
		return err_sys(e, RESOURCE, "look at the TAP interface '%s'", name);
	if (r.ifr_flags & IFF_PERSIST)
		return 0;
	return err_set(
		e, RESOURCE,
		"interface '%s' would go away with its user: make it with `ip tuntap add dev "
		"%s mode tap`",
		name, name);
}

int tap_open(const char *name, int *ret_fd, struct err *e)
{
	struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int header = TAP_HEADER;

	if (tap_probe(name, e) < 0)
		return -1;
	AUTO_FD int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, RESOURCE,
			       "open '/dev/net/tun' for interface '%s' (is the kernel's module tun "
			       "loaded?)",
			       name);
	str_copy(r.ifr_name, sizeof r.ifr_name, name);
	if (ioctl(fd, TUNSETIFF, &r) < 0)
		return refused(name, e);
	if (must_persist(fd, name, e) < 0)
		return -1;
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0 || ioctl(fd, TUNSETOFFLOAD, 0) < 0)
		return err_sys(e, RESOURCE, "set up the TAP interface '%s'", name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
