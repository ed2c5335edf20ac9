/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of the host's memory: as a worker names them, which may be hostile, as people write them, and
 * held against what the host has there. */
#include "base/hostmem.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "tests/unit/test.h"

TEST(host_memory_is_known_by_its_range_alone)
{
	struct hostmem h = {1, 2};

	assert_true(hostmem_of("/dev/mem@0xfe000000,0x2000", &h));
	assert_true(h.base == 0xfe000000 && h.bytes == 0x2000);
	assert_false(hostmem_of("/dev/mem", &h));
	assert_false(hostmem_of("/dev/mem@0xfe000000", &h));
	assert_false(hostmem_of("/dev/mem@0xfe000000,0x2000 ", &h));
	assert_false(hostmem_of("/dev/mem@0xfe000000,0x02000", &h));
	assert_false(hostmem_of("/dev/mem@0x-1000,0x2000", &h));
	assert_false(hostmem_of("/dev/mem@0xfe000800,0x1000", &h));
	assert_false(hostmem_of("/dev/mem@0xfe000000,0x800", &h));
	assert_false(hostmem_of("/dev/mem@0xfe000000,0x0", &h));
	assert_false(hostmem_of("/dev/mem@0xffffffffff000,0x2000", &h));
	assert_false(hostmem_of("/dev/mem@0x1000,0xfffffffffffff000", &h));
	assert_false(hostmem_of("/dev/port@0xfe000000,0x2000", &h));
	assert_true(h.base == 0xfe000000 && h.bytes == 0x2000);
}

TEST(host_memory_is_written_as_it_is_read)
{
	static const char *const wrong[] = {
		"",
		"0xfe000000",
		"0xfe000000,",
		"fe000000,0x1000",
		"0xfe000000,4096",
		"0xfe000000,0x1000 x",
		"0x0x1000,0x1000",
		"0x,0x1000",
		"0xfe000800,0x1000",
		"0xfe000000,0x10",
		"0xfe000000,0x0",
		"0x-1000,0x1000",
		"0x10000000000000,0x1000",
		"0x1000,0xfffffffffffff000",
		"0x11112222333344445,0x1000",
	};
	char path[HOSTMEM_PATH];
	struct hostmem h, back;
	struct err e;

	assert_int_equal(hostmem_read("0x00000000fe000000, 0x1000", &h, &e), 0);
	hostmem_path(&h, path);
	assert_string_equal(path, "/dev/mem@0xfe000000,0x1000");
	assert_true(hostmem_of(path, &back));
	for (size_t i = 0; i < NELEMS(wrong); i++) {
		assert_int_equal(hostmem_read(wrong[i], &h, &e), -1);
		assert_non_null(strstr(e.msg, "write 0xfe000000,0x1000"));
	}
	assert_true(h.base == 0xfe000000);
}

TEST(host_memory_within_and_beside)
{
	const struct hostmem h = {0x3000, 0x2000}, last = {HOSTMEM_END - 0x1000, 0x1000};

	assert_true(hostmem_is_within(&h, &h));
	assert_true(hostmem_is_within(&h, &(struct hostmem){0x2000, 0x3000}));
	assert_false(hostmem_is_within(&h, &(struct hostmem){0x2000, 0x2000}));
	assert_false(hostmem_is_within(&h, &(struct hostmem){0x4000, 0x8000}));
	assert_false(hostmem_is_within(&last, &h));
	assert_true(hostmem_overlaps(&h, &(struct hostmem){0x4000, 0x1000}));
	assert_true(hostmem_overlaps(&(struct hostmem){0x2000, 0x8000}, &h));
	assert_false(hostmem_overlaps(&h, &(struct hostmem){0x5000, 0x1000}));
	assert_false(hostmem_overlaps(&(struct hostmem){0x1000, 0x2000}, &h));
}

/* What hostmem_open() says before it opens anything; /dev/mem has no part in it. */
static enum err_code judged(const char *iomem, uint64_t base, uint64_t bytes, struct err *e)
{
	const struct hostmem h = {base, bytes};
	AUTO_FD int fd = memfd_create("iomem", MFD_CLOEXEC);

	assert_int_equal(write(fd, iomem, strlen(iomem)), strlen(iomem));
	*e = (struct err){0};
	return hostmem_judge(&h, fd, e) < 0 ? (enum err_code)e->code : ERR_OK;
}

TEST(host_memory_that_is_ram_is_refused_by_its_name)
{
	static const char iomem[] = "00000000-00000fff : Reserved\n"
				    "00001000-0009fbff : System RAM\n"
				    "00100000-3ffdffff : System RAM\n"
				    "  01000000-01c01e87 : Kernel code\n"
				    "c0000000-fe7fffff : PCI Bus 0000:00\n"
				    "  fe000000-fe0fffff : 0000:00:05.0\n"
				    "100000000-13fffffff : System RAM (kmem)\n";
	struct err e;

	assert_int_equal(judged(iomem, 0xfe000000, 0x1000, &e), ERR_OK);
	assert_int_equal(judged(iomem, 0x40000000, 0x1000, &e), ERR_OK);
	assert_int_equal(judged(iomem, 0, 0x1000, &e), ERR_OK);
	assert_int_equal(judged(iomem, 0, 0x2000, &e), ERR_RESOURCE);
	assert_non_null(strstr(e.msg, "System RAM 0x1000-0x9fbff"));
	assert_int_equal(judged(iomem, 0x1000000, 0x1000, &e), ERR_RESOURCE);
	assert_non_null(strstr(e.msg, "System RAM 0x100000-0x3ffdffff"));
	assert_int_equal(judged(iomem, 0xfffff000, 0x2000, &e), ERR_RESOURCE);
	assert_non_null(strstr(e.msg, "System RAM (kmem) 0x100000000-"));
	assert_int_equal(judged(iomem, 0, 0x100000000, &e), ERR_RESOURCE);
}

TEST(host_memory_is_not_judged_by_a_map_without_addresses)
{
	struct err e;

	assert_int_equal(judged("00000000-00000000 : Reserved\n00000000-00000000 : System RAM\n",
				0xfe000000, 0x1000, &e),
			 ERR_RESOURCE);
	assert_non_null(strstr(e.msg, "start it as root"));
}
