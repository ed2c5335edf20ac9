/* SPDX-License-Identifier: Apache-2.0 */
/* Which PCI functions of a host may be given away: each refusal says why, and what to do. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vfio.h"
#include "tests/unit/test.h"

#define NAME "0000:00:04.0"

/* A tree like that of sysfs. */
struct tree {
	char root[64];
	struct err e;
	unsigned group;
};

static void folder(const struct tree *t, const char *path)
{
	char full[512];

	snprintf(full, sizeof full, "%s%s", t->root, path);
	for (char *slash = full + strlen(t->root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
	mkdir(full, 0700);
}

static void lead(const struct tree *t, const char *path, const char *to)
{
	char full[512];

	snprintf(full, sizeof full, "%s%s", t->root, path);
	unlink(full);
	assert_int_equal(symlink(to, full), 0);
}

/* With its function in group 7, bound to vfio-pci. */
static void open_tree_of(struct tree *t)
{
	*t = (struct tree){.root = "/tmp/qvm-sysfs-XXXXXX"};
	assert_non_null(mkdtemp(t->root));
	folder(t, "/bus/pci/devices/" NAME);
	folder(t, "/bus/pci/devices/0000:00:04.1");
	folder(t, "/kernel/iommu_groups/7/devices/" NAME);
	lead(t, "/bus/pci/devices/" NAME "/iommu_group", "../../../../kernel/iommu_groups/7");
	lead(t, "/bus/pci/devices/" NAME "/driver", "../../drivers/vfio-pci");
}

static int probe(struct tree *t)
{
	return vfio_probe(t->root, NAME, &t->group, &t->e);
}

static void close_tree(struct tree *t)
{
	char command[128];

	snprintf(command, sizeof command, "rm -r '%s'", t->root);
	assert_int_equal(system(command), 0);
}

TEST(a_function_in_a_group_and_bound_to_vfio_can_be_given_away)
{
	struct tree t;

	open_tree_of(&t);
	assert_int_equal(probe(&t), 0);
	assert_int_equal(t.group, 7);
	close_tree(&t);
}

TEST(a_function_of_a_host_driver_is_refused_with_the_driver_and_the_commands)
{
	struct tree t;

	open_tree_of(&t);
	lead(&t, "/bus/pci/devices/" NAME "/driver", "../../drivers/e1000e");
	assert_int_equal(probe(&t), -1);
	assert_non_null(strstr(t.e.msg, "'e1000e'"));
	assert_non_null(strstr(t.e.msg, "modprobe vfio-pci"));
	close_tree(&t);
}

TEST(a_group_that_the_host_uses_too_is_refused_with_the_other_function)
{
	struct tree t;

	open_tree_of(&t);
	folder(&t, "/kernel/iommu_groups/7/devices/0000:00:04.1");
	lead(&t, "/bus/pci/devices/0000:00:04.1/driver", "../../drivers/xhci_hcd");
	assert_int_equal(probe(&t), -1);
	assert_non_null(strstr(t.e.msg, "'0000:00:04.1' (xhci_hcd)"));
	/* A port of the bus itself is in nobody's way. */
	lead(&t, "/bus/pci/devices/0000:00:04.1/driver", "../../drivers/pcieport");
	assert_int_equal(probe(&t), 0);
	close_tree(&t);
}

TEST(a_function_without_an_iommu_group_or_not_there_is_refused)
{
	struct tree t;

	open_tree_of(&t);
	assert_int_equal(vfio_probe(t.root, "0000:00:09.0", &t.group, &t.e), -1);
	assert_non_null(strstr(t.e.msg, "lspci"));
	assert_int_equal(vfio_probe(t.root, "0000:00:04.1", &t.group, &t.e), -1);
	assert_non_null(strstr(t.e.msg, "IOMMU"));
	close_tree(&t);
}

TEST(only_the_name_of_a_function_is_one)
{
	assert_string_equal(vfio_name(VFIO_WANT NAME), NAME);
	assert_null(vfio_name(NAME));
	assert_null(vfio_name(VFIO_WANT "0000:00:04.8"));
	assert_null(vfio_name(VFIO_WANT "0000:00:04.0/"));
	assert_null(vfio_name(VFIO_WANT "../../../../etc"));
	assert_null(vfio_name(VFIO_WANT "0000:00:04"));
	assert_null(vfio_name(VFIO_WANT));
	assert_null(vfio_name("/sys"));
}
