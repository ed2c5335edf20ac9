/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/boot/image.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "tests/unit/image_bench.h"
#include "tests/unit/test.h"
#include "vmm/boot/pvh.h"

/* --- ELF --- */

struct elf {
	Elf64_Ehdr h;
	Elf64_Phdr p[2];
	struct {
		Elf64_Nhdr h;
		char name[4];
		uint32_t entry;
	} note;
	uint8_t code[16];
};

static struct elf make_elf(void)
{
	struct elf x = {
		.h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		      .e_type = ET_EXEC,
		      .e_machine = EM_X86_64,
		      .e_entry = MIB,
		      .e_phoff = offsetof(struct elf, p),
		      .e_phentsize = sizeof(Elf64_Phdr),
		      .e_phnum = 2},
		.p = {{.p_type = PT_LOAD,
		       .p_offset = offsetof(struct elf, code),
		       .p_paddr = MIB,
		       .p_vaddr = 0xffffffff80100000,
		       .p_filesz = 16,
		       .p_memsz = 0x3000},
		      {.p_type = PT_NOTE,
		       .p_offset = offsetof(struct elf, note),
		       .p_filesz = 20,
		       .p_align = 4}},
		.note = {{4, 4, 18}, "Xen", MIB + 4},
		.code = "0123456789abcdef",
	};

	return x;
}

TEST(elf_with_a_pvh_note_starts_in_protected_mode_with_its_start_info)
{
	const struct pvh_start_info *s;
	const struct pvh_memory *map;
	const struct pvh_module *mod;
	struct elf x = make_elf();
	struct bench t;

	set_up(&t);
	strcpy(t.b.cmdline, "a=1 b");
	add(&t, "ramdisk", "RAMDISK", 7)->type = BOARD_IMAGE_INITRD;
	add(&t, "kernel", &x, sizeof x);
	assert_int_equal(boot(&t), 0);
	assert_int_equal(t.entry.mode, ENTRY_PROTECTED);
	assert_int_equal(t.entry.gpa, MIB + 4);
	assert_memory_equal(at(&t, MIB, 16), x.code, 16);
	s = at(&t, t.entry.rbx, sizeof *s);
	assert_int_equal(s->magic, 0x336ec578);
	assert_string_equal(at(&t, s->cmdline, 6), "a=1 b");
	assert_int_equal(s->n_memmap, 5); /* RAM, ACPI tables in it, RAM, ROM, RAM */
	map = at(&t, s->memmap, 5 * sizeof *map);
	assert_int_equal(map[1].type, 3);
	assert_int_equal(map[1].gpa, s->rsdp);
	assert_int_equal(map[0].bytes + map[1].bytes + map[2].bytes, 0xa0000);
	assert_memory_equal(at(&t, s->rsdp, 8), "RSD PTR ", 8);
	assert_memory_equal(at(&t, 0xe0000, 8), "RSD PTR ", 8); /* for guests that search */
	assert_int_equal(map[3].type, 2);
	assert_int_equal(map[4].bytes, 31 * MIB);
	assert_int_equal(s->n_modules, 1);
	mod = at(&t, s->modules, sizeof *mod);
	assert_int_equal(mod->bytes, 7);
	assert_memory_equal(at(&t, mod->gpa, 7), "RAMDISK", 7);
	tear_down(&t);
}

TEST(elf64_without_a_note_starts_in_long_mode_at_its_physical_entry)
{
	struct elf x = make_elf();
	const uint64_t *pml4;
	struct bench t;

	set_up(&t);
	x.p[1].p_type = PT_NULL;
	x.h.e_entry = 0xffffffff80100008; /* virtual: becomes physical */
	add(&t, "kernel", &x, sizeof x);
	assert_int_equal(boot(&t), 0);
	assert_int_equal(t.entry.mode, ENTRY_LONG);
	assert_int_equal(t.entry.gpa, MIB + 8);
	pml4 = at(&t, t.entry.tables + 0x1000, 4096);
	assert_int_equal(pml4[0], t.entry.tables + 0x2003);
	tear_down(&t);
}

TEST(elf64_without_a_note_is_told_by_linuxs_64_bit_boot_protocol)
{
	const struct boot_params *p;
	struct elf x = make_elf();
	struct bench t;

	set_up(&t);
	x.p[1].p_type = PT_NULL;
	strcpy(t.b.cmdline, "quiet");
	add(&t, "ramdisk", "RAMDISK", 7)->type = BOARD_IMAGE_INITRD;
	add(&t, "vmlinux", &x, sizeof x);
	assert_int_equal(boot(&t), 0);
	p = at(&t, t.entry.rsi, sizeof *p);
	assert_int_equal(p->hdr.header, 0x53726448);
	assert_string_equal(at(&t, p->hdr.cmd_line_ptr, 6), "quiet");
	assert_memory_equal(at(&t, p->hdr.ramdisk_image, 7), "RAMDISK", 7);
	assert_int_equal(p->e820_entries, 5);
	tear_down(&t);
}

TEST(raw_code_takes_no_ramdisk_and_no_command_line)
{
	struct bench t;

	set_up(&t);
	strcpy(t.b.cmdline, "quiet");
	add(&t, "boot", "\xf4", 1);
	expect_refusal(&t, "`cmdline`");
	tear_down(&t);
}

static void refuse_elf(const struct elf *x, size_t n, const char *part)
{
	struct bench t;

	set_up(&t);
	add(&t, "kernel", x, n);
	expect_refusal(&t, part);
	tear_down(&t);
}

#define REFUSE(change, part)                                                                       \
	do {                                                                                       \
		struct elf x = make_elf();                                                         \
		change;                                                                            \
		refuse_elf(&x, sizeof x, part);                                                    \
	} while (0)

TEST(elf_that_is_malformed_is_refused_with_the_reason)
{
	struct elf whole = make_elf();

	refuse_elf(&whole, 40, "cut off");
	refuse_elf(&whole, offsetof(struct elf, p) + 8, "longer than");
	refuse_elf(&whole, offsetof(struct elf, code) + 8, "longer than");
	REFUSE(x.h.e_ident[EI_DATA] = ELFDATA2MSB, "little-endian");
	REFUSE(x.h.e_ident[EI_CLASS] = 7, "little-endian");
	REFUSE(x.h.e_machine = EM_AARCH64, "not for x86");
	REFUSE(x.h.e_type = ET_DYN, "-no-pie");
	REFUSE(x.h.e_phnum = 0, "program headers");
	REFUSE(x.h.e_phnum = PN_XNUM, "program headers");
	REFUSE(x.h.e_phentsize = 8, "unknown size");
	REFUSE(x.h.e_phoff = UINT64_MAX - 3, "longer than");
	REFUSE(x.p[0].p_offset = UINT64_MAX, "longer than");
	REFUSE(x.p[0].p_filesz = UINT64_MAX, "damaged");
	REFUSE(x.p[0].p_memsz = UINT64_MAX, "make it longer");
	REFUSE(x.p[0].p_paddr = UINT64_MAX - 15, "no memory");
	REFUSE(x.p[0].p_paddr = 0xffff0, "make it longer");
	REFUSE(x.p[0].p_type = PT_NULL, "nothing to load");
	REFUSE(x.p[1] = x.p[0], "meets");
	REFUSE(x.note.entry = 0x500, "entry point");
	REFUSE(x.p[1].p_filesz = 1 << 20, "ELF notes");
	REFUSE((x.p[1].p_type = PT_NULL, x.h.e_entry = MIB + 0x3000), "entry point");
}

TEST(elf_notes_that_lie_about_their_length_are_passed_over)
{
	struct elf x = make_elf();
	struct bench t;

	set_up(&t);
	x.note.h.n_namesz = UINT32_MAX;
	x.note.h.n_descsz = UINT32_MAX;
	add(&t, "kernel", &x, sizeof x);
	assert_int_equal(boot(&t), 0);
	assert_int_equal(t.entry.mode, ENTRY_LONG);
	tear_down(&t);
}

/* --- bzImage --- */

enum { PAYLOAD = 2048, SETUP = 1024 };

static void make_bzimage(uint8_t file[SETUP + PAYLOAD], struct setup_header h)
{
	memset(file, 0, SETUP + PAYLOAD);
	memcpy(file + 0x1f1, &h, sizeof h);
	memset(file + SETUP, 0x90, PAYLOAD);
}

static const struct setup_header good = {
	.setup_sects = 1,
	.boot_flag = 0xaa55,
	.jump = 0x6aeb,
	.header = 0x53726448,
	.version = 0x20f,
	.loadflags = LOADED_HIGH,
	.initrd_addr_max = 0x7fffffff,
	.kernel_alignment = 0x200000,
	.relocatable_kernel = 1,
	.cmdline_size = 2047,
	.pref_address = 16 * MIB,
	.init_size = 4 * MIB,
};

TEST(bzimage_is_entered_by_the_32_bit_boot_protocol)
{
	uint8_t file[SETUP + PAYLOAD];
	const struct boot_params *p;
	struct bench t;

	set_up(&t);
	make_bzimage(file, good);
	strcpy(t.b.cmdline, "console=ttyS0");
	add(&t, "vmlinuz", file, sizeof file);
	add(&t, "ramdisk", "RAMDISK", 7)->type = BOARD_IMAGE_INITRD;
	assert_int_equal(boot(&t), 0);
	assert_int_equal(t.entry.mode, ENTRY_PROTECTED);
	assert_int_equal(t.entry.gpa, 16 * MIB);
	assert_memory_equal(at(&t, 16 * MIB, PAYLOAD), file + SETUP, PAYLOAD);
	p = at(&t, t.entry.rsi, sizeof *p);
	assert_int_equal(p->hdr.type_of_loader, 0xff);
	assert_int_equal(p->hdr.code32_start, 16 * MIB);
	assert_string_equal(at(&t, p->hdr.cmd_line_ptr, 14), "console=ttyS0");
	assert_int_equal(p->e820_entries, 5);
	assert_int_equal(p->e820_table[0].type, 1);
	assert_int_equal(p->e820_table[1].type, 3);
	assert_int_equal(p->e820_table[1].addr, p->acpi_rsdp_addr);
	assert_int_equal(p->e820_table[3].type, 2);
	assert_int_equal(p->hdr.ramdisk_size, 7);
	assert_memory_equal(at(&t, p->hdr.ramdisk_image, 7), "RAMDISK", 7);
	assert_int_equal(p->hdr.ramdisk_image, 32 * MIB - 4096);
	assert_int_equal(p->sentinel, 0);
	tear_down(&t);
}

TEST(bzimage_with_a_64_bit_entry_is_entered_there)
{
	struct setup_header h = good;
	uint8_t file[SETUP + PAYLOAD];
	struct bench t;

	set_up(&t);
	h.xloadflags = XLF_KERNEL_64;
	make_bzimage(file, h);
	add(&t, "vmlinuz", file, sizeof file);
	assert_int_equal(boot(&t), 0);
	assert_int_equal(t.entry.mode, ENTRY_LONG);
	assert_int_equal(t.entry.gpa, 16 * MIB + 0x200);
	tear_down(&t);
	h.setup_sects = 3; /* so that its entry lies behind its end */
	make_bzimage(file, h);
	set_up(&t);
	add(&t, "vmlinuz", file, 2048 + 256);
	expect_refusal(&t, "ends within");
	tear_down(&t);
}

TEST(bzimage_that_cannot_move_lies_at_1_mib)
{
	struct setup_header h = good;
	uint8_t file[SETUP + PAYLOAD];
	struct bench t;

	set_up(&t);
	h.relocatable_kernel = 0;
	make_bzimage(file, h);
	add(&t, "vmlinuz", file, sizeof file);
	assert_int_equal(boot(&t), 0);
	assert_int_equal(t.entry.gpa, MIB);
	tear_down(&t);
}

TEST(bzimage_keeps_the_ramdisk_below_its_limit)
{
	struct setup_header h = good;
	uint8_t file[SETUP + PAYLOAD];
	const struct boot_params *p;
	struct bench t;

	set_up(&t);
	h.initrd_addr_max = 8 * MIB - 1;
	make_bzimage(file, h);
	add(&t, "vmlinuz", file, sizeof file);
	add(&t, "ramdisk", "RAMDISK", 7)->type = BOARD_IMAGE_INITRD;
	assert_int_equal(boot(&t), 0);
	p = at(&t, t.entry.rsi, sizeof *p);
	assert_int_equal(p->hdr.ramdisk_image, 8 * MIB - 4096);
	t.load[1].has_gpa = true;
	t.load[1].gpa = 30 * MIB;
	expect_refusal(&t, "the most that the kernel takes");
	tear_down(&t);
}

static void refuse_bzimage(struct setup_header h, size_t n, const char *cmdline, const char *part)
{
	uint8_t file[SETUP + PAYLOAD];
	struct bench t;

	set_up(&t);
	make_bzimage(file, h);
	strcpy(t.b.cmdline, cmdline);
	add(&t, "vmlinuz", file, n);
	add(&t, "ramdisk", "RAMDISK", 7)->type = BOARD_IMAGE_INITRD;
	expect_refusal(&t, part);
	tear_down(&t);
}

#define REFUSE_BZ(member, value, part)                                                             \
	do {                                                                                       \
		struct setup_header bad = good;                                                    \
		bad.member = value;                                                                \
		refuse_bzimage(bad, SETUP + PAYLOAD, "", part);                                    \
	} while (0)

TEST(bzimage_that_is_malformed_is_refused_with_the_reason)
{
	struct setup_header h = good;

	REFUSE_BZ(version, 0x0204, "boot protocol");
	REFUSE_BZ(jump, 0x00eb, "boot protocol");
	REFUSE_BZ(loadflags, 0, "zImage");
	REFUSE_BZ(setup_sects, 200, "ends within");
	REFUSE_BZ(pref_address, UINT64_MAX, "4 GiB");
	REFUSE_BZ(pref_address, 0xfffff000, "4 GiB");
	REFUSE_BZ(init_size, UINT32_MAX, "4 GiB");
	REFUSE_BZ(init_size, 100 * MIB, "make it longer");
	REFUSE_BZ(pref_address, 0xb0000, "no memory");
	REFUSE_BZ(initrd_addr_max, 0, "free RAM");
	refuse_bzimage(good, SETUP, "", "ends within");
	h.cmdline_size = 3;
	refuse_bzimage(h, SETUP + PAYLOAD, "four", "takes 3");
}

/* --- raw, data, ramdisk --- */

TEST(raw_file_without_an_address_lies_in_the_first_free_page)
{
	struct bench t;

	set_up(&t);
	add(&t, "boot", "\xf4", 1);
	add(&t, "more", "xyz", 3);
	assert_int_equal(boot(&t), 0);
	assert_int_equal(t.entry.mode, ENTRY_REAL);
	assert_int_equal(t.entry.gpa, 0x1000);
	assert_memory_equal(at(&t, 0x2000, 3), "xyz", 3);
	tear_down(&t);
}

TEST(raw_file_beyond_real_mode_is_no_guest_but_may_be_data)
{
	struct elf x = make_elf();
	struct board_load *l;
	struct bench t;

	set_up(&t);
	l = add(&t, "high", "\xf4", 1);
	l->has_gpa = true;
	l->gpa = 2 * MIB;
	expect_refusal(&t, "ELF");
	l->type = BOARD_IMAGE_DATA;
	expect_refusal(&t, "no `load` names a guest");
	add(&t, "kernel", &x, sizeof x);
	assert_int_equal(boot(&t), 0);
	assert_memory_equal(at(&t, 2 * MIB, 1), "\xf4", 1);
	tear_down(&t);
}

/* The same board with a flash of 256 KiB that ends at 4 GiB, and RAM up to it below 1 MiB. */
static void set_up_flash(struct bench *t, bool has_low)
{
	static const struct board_memory ranges[] = {
		{.gpa = 0, .bytes = 0xa0000},
		{.gpa = 0xe0000, .bytes = 0x20000},
		{.gpa = 0xfffc0000, .bytes = 0x40000, .is_rom = true},
	};
	static const struct board_memory without[] = {
		{.gpa = 0, .bytes = 0xa0000},
		{.gpa = 0xfffc0000, .bytes = 0x40000, .is_rom = true},
	};

	set_up(t);
	memory_unmap(&t->m);
	memory_over(&t->m, has_low ? ranges : without, has_low ? 3 : 2, t->bytes);
}

TEST(rom_that_ends_at_4_gib_starts_at_the_reset_vector_and_shows_its_end_below_1_mib)
{
	AUTO_FREE uint8_t *flash = calloc(1, 0x40000);
	struct board_load *l;
	struct bench t;

	flash[0x20000] = 'a';
	flash[0x3fff0] = 'z';
	for (int has_low = 0; has_low < 2; has_low++) {
		set_up_flash(&t, has_low);
		l = add(&t, "bios", flash, 0x40000);
		l->has_gpa = true;
		l->gpa = 0xfffc0000;
		assert_int_equal(boot(&t), 0);
		assert_int_equal(t.entry.mode, ENTRY_RESET);
		assert_int_equal(t.entry.gpa, 0xfffffff0);
		assert_memory_equal(at(&t, 0xfffffff0, 1), "z", 1);
		if (has_low) {
			assert_memory_equal(at(&t, 0xe0000, 1), "a", 1);
			assert_memory_equal(at(&t, 0xffff0, 1), "z", 1);
		}
		tear_down(&t);
	}
}

TEST(rom_that_ends_at_1_mib_starts_at_its_reset_vector_and_ram_there_does_not)
{
	struct board_load *l;
	uint8_t rom[0x1000] = {0};
	struct bench t;

	set_up(&t);
	l = add(&t, "bios", rom, sizeof rom);
	l->has_gpa = true;
	l->gpa = 0xff000;
	assert_int_equal(boot(&t), 0);
	assert_int_equal(t.entry.mode, ENTRY_RESET);
	assert_int_equal(t.entry.gpa, 0xffff0);
	l->gpa = 0xfe000; /* does not end there */
	assert_int_equal(boot(&t), 0);
	assert_int_equal(t.entry.mode, ENTRY_REAL);
	tear_down(&t);
}

TEST(loads_that_contradict_each_other_are_refused)
{
	struct elf x = make_elf();
	struct board_load *second;
	struct bench t;

	set_up(&t);
	add(&t, "kernel", &x, sizeof x);
	second = add(&t, "other", &x, sizeof x);
	expect_refusal(&t, "both 'kernel' and 'other'");
	second->type = BOARD_IMAGE_DATA;
	expect_refusal(&t, "has no address");
	second->has_gpa = true;
	second->gpa = MIB + 0x1000;
	expect_refusal(&t, "meets 'kernel'");
	second->gpa = 0xc0000; /* ROM is filled by load */
	assert_int_equal(boot(&t), 0);
	second->type = BOARD_IMAGE_INITRD;
	add(&t, "third", "x", 1)->type = BOARD_IMAGE_INITRD;
	expect_refusal(&t, "second ramdisk");
	tear_down(&t);
}

TEST(load_of_an_empty_file_is_refused)
{
	struct bench t;

	set_up(&t);
	add(&t, "nothing", "", 0);
	expect_refusal(&t, "empty");
	tear_down(&t);
}
