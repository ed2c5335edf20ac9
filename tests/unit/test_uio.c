/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of UIO devices that a worker names, which may be hostile. */
#include <string.h>

#include "base/uio.h"
#include "tests/unit/test.h"

TEST(uio_device_is_known_by_its_number_alone)
{
	assert_int_equal(uio_of("/dev/uio0"), 0);
	assert_int_equal(uio_of("/dev/uio1023"), 1023);
	assert_int_equal(uio_of("/dev/uio1024"), -1);
	assert_int_equal(uio_of("/dev/uio00"), -1);
	assert_int_equal(uio_of("/dev/uio+1"), -1);
	assert_int_equal(uio_of("/dev/uio1/../mem"), -1);
	assert_int_equal(uio_of("/dev/uio1 "), -1);
	assert_int_equal(uio_of("/dev/uio4294967296"), -1);
	assert_int_equal(uio_of("/dev/uio"), -1);
	assert_int_equal(uio_of("/dev/mem"), -1);
	assert_int_equal(uio_of(""), -1);
}

TEST(uio_bar_is_one_of_the_six_of_its_function)
{
	unsigned bar = 9;

	assert_int_equal(uio_of_bar("/sys/class/uio/uio3/device/resource5", &bar), 3);
	assert_int_equal(bar, 5);
	assert_int_equal(uio_of_bar("/sys/class/uio/uio3/device/resource6", &bar), -1);
	assert_int_equal(uio_of_bar("/sys/class/uio/uio3/device/resource", &bar), -1);
	assert_int_equal(uio_of_bar("/sys/class/uio/uio3/device/resource0_wc", &bar), -1);
	assert_int_equal(uio_of_bar("/sys/class/uio/uio3/device/config", &bar), -1);
	assert_int_equal(uio_of_bar("/sys/class/uio/uio03/device/resource0", &bar), -1);
	assert_int_equal(bar, 5);
}

TEST(uio_interrupts_are_those_of_a_device)
{
	assert_int_equal(uio_of_arm("/dev/uio7 (interrupts)"), 7);
	assert_int_equal(uio_of_arm("/dev/uio7"), -1);
	assert_int_equal(uio_of_arm("/dev/uio7 (interrupts) "), -1);
}

TEST(uio_device_that_is_not_there_says_where_to_look)
{
	struct err e;

	assert_int_equal(uio_probe("/nowhere", 5, &e), -1);
	assert_non_null(strstr(e.msg, "'uio5'"));
	assert_non_null(strstr(e.msg, "/sys/class/uio"));
}
