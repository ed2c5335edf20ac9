/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/image_bench.h"
#include "vmm/boot/image.h"

enum { MB_AT = 64, MB_BYTES = 512 };

static void make_multiboot(uint8_t file[MB_BYTES], uint32_t flags)
{
	uint32_t h[8] = {0x1badb002, flags,	    0,	     2 * MIB + MB_AT,
			 2 * MIB,    2 * MIB + 256, 3 * MIB, 2 * MIB + 96};

	h[2] = -(h[0] + h[1]);
	memset(file, 0xaa, MB_BYTES);
	memcpy(file + MB_AT, h, sizeof h);
}

TEST(multiboot_kernel_gets_its_modules_map_and_command_line)
{
	uint8_t file[MB_BYTES];
	const uint32_t *info, *mod, *map;
	struct board_load *l;
	uint16_t kib;
	struct bench t;

	set_up(&t);
	make_multiboot(file, 0x10003);
	strcpy(t.b.cmdline, "a=1");
	add(&t, "xen", file, sizeof file);
	l = add(&t, "first", "FIRST", 5);
	l->type = BOARD_IMAGE_DATA;
	l->has_gpa = true;
	l->gpa = 8 * MIB;
	add(&t, "second", "SECOND", 6)->type = BOARD_IMAGE_INITRD;
	assert_int_equal(boot(&t), 0);
	assert_int_equal(t.entry.mode, ENTRY_PROTECTED);
	assert_int_equal(t.entry.rax, 0x2badb002);
	assert_int_equal(t.entry.gpa, 2 * MIB + 96);
	assert_memory_equal(at(&t, 2 * MIB, 256), file, 256);
	assert_int_equal(*(const uint8_t *)at(&t, 2 * MIB + 256, 1), 0); /* load_end_addr */
	info = at(&t, t.entry.rbx, 116);
	assert_int_equal(info[0], 1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9);
	assert_in_range(info[1], 500, 640);
	assert_int_equal(info[1] * 1024, t.entry.rbx & ~UINT64_C(1023));
	assert_int_equal(info[2], 31 * 1024);
	memcpy(&kib, at(&t, 0x413, 2), sizeof kib);
	assert_int_equal(kib, info[1]); /* as a BIOS leaves it */
	assert_string_equal(at(&t, info[4], 4), "a=1");
	assert_int_equal(info[5], 2);
	mod = at(&t, info[6], 32);
	assert_int_equal(mod[0], 8 * MIB);
	assert_int_equal(mod[1], 8 * MIB + 5);
	assert_string_equal(at(&t, mod[2], 6), "first");
	assert_memory_equal(at(&t, mod[4], 6), "SECOND", 6);
	map = at(&t, info[12], info[11]);
	assert_int_equal(info[11], 5 * 24);
	assert_int_equal(map[0], 20);
	assert_int_equal(map[5], 1);
	l->gpa++;
	expect_refusal(&t, "page borders");
	tear_down(&t);
}

static void refuse_multiboot(uint32_t flags, unsigned word, uint32_t value, const char *part)
{
	uint8_t file[MB_BYTES];
	struct bench t;

	set_up(&t);
	make_multiboot(file, flags);
	if (word)
		memcpy(file + MB_AT + 4 * word, &value, 4);
	add(&t, "kernel", file, sizeof file);
	expect_refusal(&t, part);
	tear_down(&t);
}

TEST(multiboot_kernel_that_asks_too_much_or_lies_is_refused_with_the_reason)
{
	refuse_multiboot(0x10004, 0, 0, "video mode");
	refuse_multiboot(0x10008, 0, 0, "flags 0x10008");
	refuse_multiboot(0x3, 0, 0, "no ELF");
	refuse_multiboot(0x10000, 3, 0, "do not fit");
	refuse_multiboot(0x10000, 4, MIB, "do not fit");
	refuse_multiboot(0x10000, 5, 3 * MIB, "beyond the file");
	refuse_multiboot(0x10000, 5, 1, "beyond the file");
	refuse_multiboot(0x10000, 6, 64 * MIB, "make it longer");
	refuse_multiboot(0x10000, 7, 0xa0000000, "entry point");
}

struct mb2 {
	uint32_t h[4];
	uint16_t type, flags;
	uint32_t size, value[4];
	uint32_t entry[4];
	uint32_t end[2];
	uint8_t code[64];
};

static struct mb2 make_multiboot2(uint16_t type, uint16_t flags, uint32_t value)
{
	struct mb2 x = {.h = {0xe85250d6, 0, offsetof(struct mb2, code), 0},
			.type = type,
			.flags = flags,
			.size = 24,
			.value = {value},
			.entry = {3, 12, 2 * MIB + offsetof(struct mb2, code), 0},
			.end = {0, 8}};

	if (type == 2) {
		const uint32_t addresses[] = {2 * MIB, 2 * MIB, 0, 2 * MIB + 0x4000};

		memcpy(x.value, addresses, sizeof addresses);
	}
	x.h[3] = -(x.h[0] + x.h[1] + x.h[2]);
	return x;
}

TEST(multiboot2_kernel_gets_tags_with_its_module_and_the_rsdp)
{
	struct mb2 x = make_multiboot2(2, 0, 0);
	const uint8_t *info, *p;
	unsigned seen = 0;
	struct bench t;
	uint32_t tag[4];

	set_up(&t);
	strcpy(t.b.cmdline, "b=2");
	add(&t, "kernel", &x, sizeof x);
	add(&t, "module", "MODULE", 6)->type = BOARD_IMAGE_INITRD;
	assert_int_equal(boot(&t), 0);
	assert_int_equal(t.entry.rax, 0x36d76289);
	assert_int_equal(t.entry.gpa, 2 * MIB + offsetof(struct mb2, code));
	assert_int_equal(t.entry.rbx % 8, 0);
	info = at(&t, t.entry.rbx, 8);
	memcpy(tag, info, 8);
	info = at(&t, t.entry.rbx, tag[0]);
	for (p = info + 8; p < info + tag[0];) {
		uint32_t h[4];

		memcpy(h, p, 16 <= info + tag[0] - p ? 16 : 8);
		seen |= 1u << h[0];
		if (h[0] == 1)
			assert_string_equal(p + 8, "b=2");
		if (h[0] == 3) {
			assert_memory_equal(at(&t, h[2], 6), "MODULE", 6);
			assert_string_equal(p + 16, "module");
		}
		if (h[0] == 15)
			assert_memory_equal(p + 8, "RSD PTR ", 8);
		p += (h[1] + 7) & ~7u;
	}
	assert_int_equal(seen, 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 6 | 1 << 15);
	tear_down(&t);
}

static void refuse_multiboot2(uint16_t type, uint16_t flags, uint32_t value, const char *part)
{
	struct mb2 x = make_multiboot2(type, flags, value);
	struct bench t;

	set_up(&t);
	add(&t, "kernel", &x, sizeof x);
	expect_refusal(&t, part);
	tear_down(&t);
}

TEST(multiboot2_kernel_that_asks_too_much_or_lies_is_refused_with_the_reason)
{
	refuse_multiboot2(5, 0, 640, "framebuffer");
	refuse_multiboot2(5, 1, 640, "no ELF"); /* an optional one is passed over */
	refuse_multiboot2(4, 0, 1, "text console");
	refuse_multiboot2(4, 1, 1, "no ELF");
	refuse_multiboot2(1, 0, 99, "not known");
	refuse_multiboot2(99, 0, 0, "required tag");
	refuse_multiboot2(99, 1, 0, "no ELF");
}
