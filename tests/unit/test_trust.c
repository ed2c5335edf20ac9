/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/trust.h"

static int folder_of(mode_t mode, struct err *e)
{
	char path[] = "/tmp/qvm-trust-XXXXXX";
	int fd;

	assert_non_null(mkdtemp(path));
	assert_int_equal(chmod(path, mode), 0);
	fd = trust_open_folder(path, e);
	rmdir(path);
	return fd;
}

TEST(trust_takes_what_only_its_owner_can_write_to)
{
	struct err e = {0};
	AUTO_FD int fd = folder_of(0755, &e);

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

TEST(trust_refuses_what_others_can_write_to)
{
	struct err e = {0};

	assert_int_equal(folder_of(0775, &e), -1);
	assert_int_equal(e.code, ERR_INVALID);
	assert_non_null(strstr(e.msg, "chmod go-w"));
	assert_int_equal(folder_of(0757, &e), -1);
}

TEST(trust_refuses_what_belongs_to_somebody_else)
{
	char path[] = "/tmp/qvm-trust-XXXXXX";
	AUTO_FD int fd = mkstemp(path);
	struct err e = {0};

	assert_true(fd >= 0);
	unlink(path);
	if (fchown(fd, 4711, 4711) < 0)
		skip(); /* only root can give it away */
	assert_int_equal(trust_check(fd, path, geteuid(), &e), -1);
	assert_non_null(strstr(e.msg, "uid 4711"));
	assert_int_equal(trust_check(fd, path, 4711, &e), 0);
}

TEST(trust_of_a_folder_that_is_not_there_says_so)
{
	struct err e = {0};

	assert_int_equal(trust_open_folder("/nowhere/at/all", &e), -1);
	assert_int_equal(e.os_errno, ENOENT);
}
