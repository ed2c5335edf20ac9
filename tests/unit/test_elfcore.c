/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/dump/elfcore.h"

#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/blackbox.h"
#include "base/dumpfile.h"
#include "base/sealed.h"
#include "tests/unit/test.h"

enum { PAGE = 4096, RAM = 64 * PAGE };

struct bed {
	struct blackbox_map box;
	int ram, out;
};

static struct bed bed(void)
{
	AUTO_FD int fd = -1;
	struct bed b = {.ram = sealed_memory("ram", RAM), .out = memfd_create("out", MFD_CLOEXEC)};
	struct err e;

	assert_true(b.ram >= 0 && b.out >= 0);
	assert_int_equal(blackbox_create("vm", 2, 1, &fd, &e), 0);
	assert_int_equal(blackbox_map_writer(fd, &b.box, &e), 0);
	return b;
}

static void add(struct bed *b, uint64_t gpa, uint64_t bytes, uint64_t offset, uint8_t class)
{
	blackbox_place(&b->box, &(struct blackbox_place){.base = gpa,
							 .bytes = bytes,
							 .offset = offset,
							 .space = BLACKBOX_MEMORY,
							 .class = class,
							 .is_on = 1});
}

static void drop(struct bed *b)
{
	blackbox_unmap(&b->box);
	close(b->ram);
	close(b->out);
}

TEST(elfcore_has_a_load_a_range_and_the_registers_of_each_vcpu)
{
	struct bed b = bed();
	struct elf_prstatus status;
	struct user_regs_struct regs;
	Elf64_Ehdr h;
	Elf64_Phdr p[3];
	struct stat st;
	uint64_t bytes = 0;
	char word[4] = "";
	struct err e;

	add(&b, 0, 16 * PAGE, 0, BLACKBOX_RAM);
	add(&b, 0x100000, RAM - 16 * PAGE, 16 * PAGE, BLACKBOX_ROM);
	add(&b, 0x900000, PAGE, 0, BLACKBOX_VDEV);
	assert_int_equal(pwrite(b.ram, "word", 4, 20 * PAGE), 4);
	b.box.vcpu[0].regs.rip = 0x1234;
	b.box.vcpu[0].regs.rsp = 0x5678;
	b.box.vcpu[0].regs_valid = 1;
	b.box.vcpu[1].last_rip = 0x9abc;
	assert_int_equal(elfcore_write(&b.box, b.ram, b.out, &bytes, &e), 0);
	assert_int_equal(pread(b.out, &h, sizeof h, 0), sizeof h);
	assert_memory_equal(h.e_ident, ELFMAG, SELFMAG);
	assert_int_equal(h.e_phnum, 3);
	assert_int_equal(pread(b.out, p, sizeof p, (off_t)h.e_phoff), sizeof p);
	assert_int_equal(p[1].p_paddr, 0);
	assert_int_equal(p[2].p_paddr, 0x100000);
	assert_int_equal(p[2].p_offset + p[2].p_filesz, bytes);
	assert_int_equal(pread(b.out, word, sizeof word, (off_t)(p[2].p_offset + 4 * PAGE)),
			 sizeof word);
	assert_memory_equal(word, "word", 4);
	assert_int_equal(pread(b.out, &status, sizeof status, (off_t)p[0].p_offset + 20),
			 sizeof status);
	memcpy(&regs, status.pr_reg, sizeof regs);
	assert_int_equal(regs.rip, 0x1234);
	assert_int_equal(regs.rsp, 0x5678);
	assert_int_equal(pread(b.out, &status, sizeof status,
			       (off_t)(p[0].p_offset + p[0].p_filesz / 2 + 20)),
			 sizeof status);
	memcpy(&regs, status.pr_reg, sizeof regs);
	assert_int_equal(regs.rip, 0x9abc);
	assert_int_equal(status.pr_pid, 2);
	assert_int_equal(fstat(b.out, &st), 0);
	assert_int_equal(st.st_size, bytes);
	assert_true(st.st_blocks * 512 < RAM / 2);
	drop(&b);
}

TEST(elfcore_refuses_what_the_memory_cannot_hold)
{
	static const struct {
		uint64_t gpa, bytes, offset;
	} wrong[] = {
		{0, RAM + PAGE, 0},
		{0, PAGE, RAM},
		{0, PAGE, UINT64_MAX - PAGE + 1},
		{1, PAGE, 0},
		{0, 0, 0},
		{UINT64_MAX - PAGE + 1, 2 * PAGE, 0},
		{0, UINT64_MAX - 4095, PAGE},
	};

	for (size_t i = 0; i < NELEMS(wrong); i++) {
		struct bed b = bed();
		uint64_t bytes;
		struct err e;

		add(&b, wrong[i].gpa, wrong[i].bytes, wrong[i].offset, BLACKBOX_RAM);
		assert_int_equal(elfcore_write(&b.box, b.ram, b.out, &bytes, &e), -1);
		assert_int_equal(e.code, ERR_PROTOCOL);
		drop(&b);
	}
}

TEST(elfcore_refuses_more_ranges_than_memory)
{
	struct bed b = bed();
	uint64_t bytes;
	struct err e;

	add(&b, 0, RAM, 0, BLACKBOX_RAM);
	add(&b, 0x10000000, PAGE, 0, BLACKBOX_RAM);
	assert_int_equal(elfcore_write(&b.box, b.ram, b.out, &bytes, &e), -1);
	assert_int_equal(e.code, ERR_PROTOCOL);
	drop(&b);
}

TEST(dumpfile_knows_the_names_it_gives)
{
	assert_true(dumpfile_is_of("vm-20260102-030405.gcore", "vm"));
	assert_true(dumpfile_is_of("vm-20260102-030405-9.gcore", "vm"));
	assert_false(dumpfile_is_of("vm-20260102-030405-0.gcore", "vm"));
	assert_false(dumpfile_is_of("vm-a-20260102-030405.gcore", "vm"));
	assert_false(dumpfile_is_of("vm-20260102-030405.gcore.x", "vm"));
	assert_false(dumpfile_is_of("vm", "vm"));
}
