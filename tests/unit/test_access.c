/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/access.h"

#include <string.h>

#include "base/blackbox.h"
#include "tests/unit/test.h"
#include "vmm/vdev/vdev.h"

/* A vdev that keeps what it is told and answers with the offset. */
struct probe {
	unsigned n;
	uint64_t offset[8], value[8];
	unsigned width[8];
};

static uint64_t probe_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	struct probe *p = d->state;

	(void)region;
	p->offset[p->n] = offset;
	p->width[p->n++] = width;
	return 0xa0 + offset;
}

static void probe_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
			uint64_t value)
{
	struct probe *p = d->state;

	(void)region;
	p->offset[p->n] = offset;
	p->value[p->n] = value;
	p->width[p->n++] = width;
}

static const struct vdev_class bytes_only = {.name = "bytes",
					     .widths = VDEV_BYTE,
					     .state_bytes = sizeof(struct probe),
					     .read = probe_read,
					     .write = probe_write,
					     .intr = -1};
static const struct vdev_class write_only = {.name = "deaf",
					     .widths = VDEV_BYTE | VDEV_DWORD,
					     .state_bytes = sizeof(struct probe),
					     .write = probe_write,
					     .intr = -1};

struct bench {
	struct space s;
	struct vdev *d;
	struct blackbox_vdev row;
	struct blackbox_map box;
	struct probe *probe;
};

static void set_up(struct bench *b, const struct vdev_class *class, bool is_bus)
{
	struct space_region r = {.base = 0x100, .last = 0x107, .kind = SPACE_VDEV};
	struct err e;

	*b = (struct bench){.s = {.noun = "port", .last = 0xffff, .is_bus = is_bus}};
	b->d = vdev_new(class, 1);
	b->probe = b->d->state;
	b->box.vdev = &b->row;
	r.vdev = b->d;
	strcpy(r.name, "probe");
	assert_int_equal(space_add(&b->s, &r, &e), 0);
}

static void tear_down(struct bench *b)
{
	space_free(&b->s);
	vdev_free(b->d);
}

TEST(access_reaches_a_vdev_at_its_offset_and_is_counted)
{
	struct access a = {.address = 0x107, .width = 1};
	struct bench b;

	set_up(&b, &bytes_only, true);
	assert_int_equal(access_judge(&b.s, &a), SPACE_BY_VDEV);
	access_perform(&b.s, &b.box, &a);
	assert_int_equal(a.value, 0xa7);
	assert_int_equal(b.row.reads, 1);
	assert_int_equal(b.row.writes, 0);
	tear_down(&b);
}

TEST(access_wider_than_a_port_device_is_taken_apart)
{
	struct access r = {.address = 0x102, .width = 4};
	struct access w = {.address = 0x102, .width = 2, .value = 0xbbaa, .is_write = true};
	struct bench b;

	set_up(&b, &bytes_only, true);
	assert_int_equal(access_judge(&b.s, &r), SPACE_BY_VDEV);
	assert_int_equal(b.probe->n, 0); /* judging touches nothing */
	access_perform(&b.s, &b.box, &r);
	assert_int_equal(r.value, 0xa5a4a3a2);
	assert_int_equal(b.probe->n, 4);
	b.probe->n = 0;
	access_perform(&b.s, &b.box, &w);
	assert_int_equal(b.probe->n, 2);
	assert_int_equal(b.probe->value[0], 0xaa);
	assert_int_equal(b.probe->offset[1], 3);
	assert_int_equal(b.probe->value[1], 0xbb);
	tear_down(&b);
}

TEST(access_wider_than_a_memory_device_is_denied)
{
	struct access a = {.address = 0x100, .width = 4};
	struct bench b;

	set_up(&b, &bytes_only, false);
	assert_int_equal(access_judge(&b.s, &a), SPACE_DENIED);
	access_perform(&b.s, &b.box, &a);
	assert_int_equal(a.value, 0xffffffff);
	assert_int_equal(b.probe->n, 0);
	tear_down(&b);
}

TEST(access_over_the_end_of_a_region_is_a_fault_and_reads_ones_there)
{
	struct access a = {.address = 0x107, .width = 2};
	struct access before = {.address = 0xff, .width = 2};
	struct bench b;

	set_up(&b, &bytes_only, true);
	assert_int_equal(access_judge(&b.s, &a), SPACE_NOBODY);
	access_perform(&b.s, &b.box, &a);
	assert_int_equal(a.value, 0xffa7);
	assert_int_equal(access_judge(&b.s, &before), SPACE_NOBODY);
	access_perform(&b.s, &b.box, &before);
	assert_int_equal(before.value, 0xa0ff);
	tear_down(&b);
}

TEST(access_over_the_end_of_the_space_is_a_fault)
{
	struct access a = {.address = 0xffff, .width = 4};
	struct access odd = {.address = 0x100, .width = 3};
	struct bench b;

	set_up(&b, &bytes_only, true);
	assert_int_equal(access_judge(&b.s, &a), SPACE_NOBODY);
	access_perform(&b.s, &b.box, &a);
	assert_int_equal(a.value, 0xffffffff);
	assert_int_equal(access_judge(&b.s, &odd), SPACE_DENIED);
	access_perform(&b.s, &b.box, &odd);
	assert_int_equal(odd.value, 0xffffff);
	tear_down(&b);
}

TEST(access_in_a_direction_the_class_lacks_is_denied)
{
	struct access r = {.address = 0x100, .width = 4};
	struct access w = {.address = 0x100, .width = 4, .value = 7, .is_write = true};
	struct bench b;
	char text[96];

	set_up(&b, &write_only, true);
	assert_int_equal(access_judge(&b.s, &r), SPACE_DENIED);
	assert_int_equal(access_judge(&b.s, &w), SPACE_BY_VDEV);
	access_describe(&b.s, &r, text, sizeof text);
	assert_string_equal(text, "read of 4 bytes from port 0x100, which 'probe' does not permit");
	tear_down(&b);
}

TEST(access_to_read_only_memory_is_denied)
{
	struct space s = {.noun = "memory", .last = UINT64_MAX};
	struct space_region rom = {
		.base = 0xc0000, .last = 0xfffff, .kind = SPACE_ROM, .name = "rom"};
	struct access a = {.address = 0xc0000, .width = 8, .is_write = true};
	struct err e;

	assert_int_equal(space_add(&s, &rom, &e), 0);
	assert_int_equal(access_judge(&s, &a), SPACE_DENIED);
	a.address = 0xbffff;
	assert_int_equal(access_judge(&s, &a), SPACE_NOBODY);
	space_free(&s);
}

/* A bus that has a device in the upper half of its region. */
static struct vdev *behind;

static bool probe_route(struct vdev *d, struct vdev_target *t, unsigned width)
{
	(void)d;
	(void)width;
	if (t->offset < 4)
		return false;
	*t = (struct vdev_target){behind, 3, t->offset - 4};
	return true;
}

TEST(access_behind_a_bus_reaches_the_vdev_that_the_bus_names)
{
	struct vdev_class bus = bytes_only;
	struct access there = {.address = 0x105, .width = 1, .is_write = true, .value = 9};
	struct access nowhere = {.address = 0x101, .width = 1};
	struct bench b;
	struct probe *p;

	bus.route = probe_route;
	set_up(&b, &bus, false);
	behind = vdev_new(&bytes_only, 1);
	p = behind->state;
	assert_int_equal(access_judge(&b.s, &there), SPACE_BY_VDEV);
	access_perform(&b.s, &b.box, &there);
	assert_int_equal(b.probe->n, 0);
	assert_int_equal(p->n, 1);
	assert_int_equal(p->offset[0], 1);
	assert_int_equal(access_judge(&b.s, &nowhere), SPACE_DENIED);
	access_perform(&b.s, &b.box, &nowhere);
	assert_int_equal(nowhere.value, 0xff);
	vdev_free(behind);
	tear_down(&b);
}

TEST(access_goes_to_the_region_under_others_unless_it_is_wholly_inside_one)
{
	struct vdev_class wide = bytes_only;
	struct space_region under = {
		.base = 0x0fc, .last = 0x10b, .kind = SPACE_VDEV, .is_under = true};
	struct access byte = {.address = 0x100, .width = 1}, across = {.address = 0xfe, .width = 4};
	struct bench b;
	struct vdev *d;
	struct probe *p;
	struct err e;

	wide.widths = VDEV_BYTE | VDEV_DWORD;
	set_up(&b, &bytes_only, true);
	d = vdev_new(&wide, 1);
	p = d->state;
	under.vdev = d;
	assert_int_equal(space_add(&b.s, &under, &e), 0);
	access_perform(&b.s, &b.box, &byte);
	assert_int_equal(b.probe->n, 1);
	access_perform(&b.s, &b.box, &across);
	assert_int_equal(b.probe->n, 1);
	assert_int_equal(p->n, 1);
	assert_int_equal(p->width[0], 4);
	vdev_free(d);
	tear_down(&b);
}

/* The port 0xcf9 of a board without a PCI bus, whose guest looks for one. */
TEST(access_of_a_dword_does_not_reach_a_region_that_is_meant_whole)
{
	static const struct vdev_class whole = {.name = "whole",
						.widths = VDEV_BYTE,
						.region = {{0x100, 8, true}},
						.state_bytes = sizeof(struct probe),
						.read = probe_read,
						.write = probe_write,
						.intr = -1};
	struct access a = {.address = 0xff, .width = 4, .value = 0x80000400, .is_write = true};
	struct bench b;

	set_up(&b, &whole, true);
	assert_int_equal(access_judge(&b.s, &a), SPACE_NOBODY);
	access_perform(&b.s, &b.box, &a);
	assert_int_equal(b.probe->n, 0);
	a = (struct access){.address = 0x100, .width = 1, .value = 4, .is_write = true};
	access_perform(&b.s, &b.box, &a);
	assert_int_equal(b.probe->n, 1);
	tear_down(&b);
}
