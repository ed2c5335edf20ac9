/* SPDX-License-Identifier: Apache-2.0 */
#include "base/vfio.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"

enum { LINK = 256, LIST = 96, PATH = 512 };

static const char form[] = "hhhh:hh:hh.o"; /* h: hexadecimal digit in small letters, o: 0 to 7 */

const char *vfio_name(const char *path)
{
	const char *name = path + strlen(VFIO_WANT);

	if (strncmp(path, VFIO_WANT, strlen(VFIO_WANT)) != 0 || strlen(name) != strlen(form))
		return NULL;
	for (size_t i = 0; form[i]; i++) {
		const char *set = form[i] == 'h'   ? "0123456789abcdef"
				  : form[i] == 'o' ? "01234567"
						   : (char[]){form[i], '\0'};

		if (!strchr(set, name[i]))
			return NULL;
	}
	return name;
}

/* The last part of where a link of sysfs leads; "" = there is none. */
static const char *link_of(const char *sys, const char *name, const char *link,
			   char ret[static LINK])
{
	char path[PATH], to[LINK];
	const char *slash;
	ssize_t n;

	snprintf(path, sizeof path, "%s/bus/pci/devices/%s/%s", sys, name, link);
	n = readlink(path, to, sizeof to - 1);
	to[n < 0 ? 0 : n] = '\0';
	slash = strrchr(to, '/');
	str_copy(ret, LINK, slash ? slash + 1 : to);
	return ret;
}

static bool is_vfio(const char *driver)
{
	return !strcmp(driver, "vfio-pci");
}

/* Those of its group that a driver of the host still has: they must be given up too. */
static void group_others(const char *sys, const char *name, char *ret, size_t cap)
{
	char path[PATH], driver[LINK];
	struct dirent *d;
	size_t len = 0;
	DIR *dir;

	ret[0] = '\0';
	snprintf(path, sizeof path, "%s/bus/pci/devices/%s/iommu_group/devices", sys, name);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.' || !strcmp(d->d_name, name))
			continue;
		link_of(sys, d->d_name, "driver", driver);
		/* Those that VFIO does not mind: without a driver, its own, bridges. */
		if (driver[0] && !is_vfio(driver) && strcmp(driver, "pcieport") != 0 &&
		    strcmp(driver, "pci-stub") != 0)
			str_add(ret, cap, &len, "%s'%.16s' (%.24s)", len ? ", " : "", d->d_name,
				driver);
	}
	if (dir)
		closedir(dir);
}

int vfio_probe(const char *sys, const char *name, unsigned *ret_group, struct err *e)
{
	char path[PATH], driver[LINK], group[LINK], others[LIST], *end;

	snprintf(path, sizeof path, "%s/bus/pci/devices/%s", sys, name);
	if (access(path, F_OK) < 0)
		return err_set(e, RESOURCE,
			       "this host has no PCI function '%s': `lspci -D` shows those that it "
			       "has",
			       name);
	link_of(sys, name, "iommu_group", group);
	*ret_group = (unsigned)strtoul(group, &end, 10);
	if (!group[0] || *end)
		return err_set(e, RESOURCE,
			       "PCI function '%s' is in no IOMMU group, so nothing would hold its "
			       "DMA within the guest: switch the IOMMU on in the firmware (VT-d, "
			       "AMD-Vi) and boot the host with intel_iommu=on",
			       name);
	link_of(sys, name, "driver", driver);
	if (!is_vfio(driver))
		return err_set(
			e, RESOURCE,
			"PCI function '%s' belongs to %s%.24s%s: bind it to vfio-pci with "
			"`modprobe vfio-pci` and `driverctl set-override %s vfio-pci`, or as "
			"README says",
			name, driver[0] ? "the host's driver '" : "no driver", driver,
			driver[0] ? "'" : "", name);
	group_others(sys, name, others, sizeof others);
	if (others[0])
		return err_set(e, RESOURCE,
			       "IOMMU group %u of PCI function '%s' holds what the host uses: %s; "
			       "bind these to vfio-pci too: a group has one owner",
			       *ret_group, name, others);
	return 0;
}

int vfio_container(int *ret_fd, struct err *e)
{
	AUTO_FD int fd = open(VFIO_CONTAINER, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, RESOURCE,
			       "open '" VFIO_CONTAINER "' (are the kernel's modules vfio-pci and "
			       "vfio_iommu_type1 loaded?)");
	if (ioctl(fd, VFIO_GET_API_VERSION) != VFIO_API_VERSION ||
	    ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) != 1)
		return err_set(e, RESOURCE,
			       "'" VFIO_CONTAINER "' knows no type 1 IOMMU: load the kernel's "
			       "module vfio_iommu_type1");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_group(const char *name, unsigned group, int *ret_fd, struct err *e)
{
	struct vfio_group_status status = {.argsz = sizeof status};
	char path[40];
	AUTO_FD int fd = -1;

	snprintf(path, sizeof path, "/dev/vfio/%u", group);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		return err_set(e, RESOURCE,
			       "PCI function '%s' is in use, or another one of its IOMMU group %u "
			       "is: end the VM that has it; a group has one owner",
			       name, group);
	if (fd < 0)
		return err_sys(e, RESOURCE, "open '%s', the IOMMU group of PCI function '%s'", path,
			       name);
	if (ioctl(fd, VFIO_GROUP_GET_STATUS, &status) < 0)
		return err_sys(e, RESOURCE, "look at the IOMMU group '%s'", path);
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return err_set(
			e, RESOURCE,
			"IOMMU group %u of PCI function '%s' holds what a driver of the host "
			"uses: bind all of it to vfio-pci",
			group, name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int vfio_open(const char *name, int container_fd, int *ret_fd, struct err *e)
{
	AUTO_FD int group_fd = -1;
	AUTO_FD int fd = -1;
	unsigned group = 0;

	if (vfio_probe("/sys", name, &group, e) < 0 || open_group(name, group, &group_fd, e) < 0)
		return -1;
	if (ioctl(group_fd, VFIO_GROUP_SET_CONTAINER, &container_fd) < 0 ||
	    ioctl(container_fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		return err_sys(
			e, RESOURCE,
			"set up the IOMMU for PCI function '%s' (the kernel's log says more; "
			"an IOMMU without interrupt remapping cannot hold a device)",
			name);
	fd = ioctl(group_fd, VFIO_GROUP_GET_DEVICE_FD, name);
	if (fd < 0)
		return err_sys(e, RESOURCE, "open PCI function '%s' by VFIO", name);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_sys(e, RESOURCE, "keep PCI function '%s' from other programs", name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
