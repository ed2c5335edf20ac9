/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/vdev/adapter.h"
#include "vmm/vdev/sdk.h"
#include "vmm/vdev/vdev.h"

static uint64_t read_nothing(struct qvm_vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	(void)d;
	(void)region;
	(void)offset;
	(void)width;
	return 0;
}

static int set_nothing(struct qvm_vdev *d, const char *value, char *why, size_t why_bytes)
{
	(void)d;
	(void)value;
	(void)why;
	(void)why_bytes;
	return -1;
}

static struct qvm_vdev_class sound(void)
{
	return (struct qvm_vdev_class){.abi = QVM_VDEV_ABI,
				       .bytes = sizeof(struct qvm_vdev_class),
				       .name = "thing",
				       .space = QVM_VDEV_IO,
				       .widths = QVM_VDEV_BYTE,
				       .region = {{0x100, 4}},
				       .read = read_nothing};
}

static void refused(const struct qvm_vdev_class *c, const char *why)
{
	const struct vdev_class *ours = NULL;
	struct err e = {0};

	assert_int_equal(adapter_make(c, "thing", &ours, &e), -1);
	assert_null(ours);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_non_null(strstr(e.msg, why));
}

TEST(adapter_of_a_sound_class_has_its_place_and_callbacks)
{
	struct qvm_vdev_class c = sound();
	const struct vdev_class *ours = NULL;
	struct err e;

	assert_int_equal(adapter_make(&c, "thing", &ours, &e), 0);
	assert_string_equal(ours->name, "thing");
	assert_int_equal(ours->region[0].base, 0x100);
	assert_false(ours->needs_loc);
	assert_non_null(ours->read);
	assert_null(ours->write);
	free((void *)ours);
}

TEST(adapter_refuses_a_class_of_another_build)
{
	struct qvm_vdev_class c = sound();

	c.abi++;
	refused(&c, "ABI 2");
	c = sound();
	c.bytes--;
	refused(&c, "sizeof");
}

TEST(adapter_refuses_a_class_with_another_name_than_its_file)
{
	struct qvm_vdev_class c = sound();

	c.name = "other";
	refused(&c, "named 'other'");
	c.name = NULL;
	refused(&c, "named ''");
}

TEST(adapter_refuses_a_class_that_answers_nowhere_or_beyond_the_end)
{
	struct qvm_vdev_class c = sound();

	c.region[0].bytes = 0;
	refused(&c, "answers nowhere");
	c = sound();
	c.region[0].base = 0xfffd;
	refused(&c, "beyond 0xffff");
	c = sound();
	c.region[0].bytes = UINT64_MAX;
	refused(&c, "beyond 0xffff");
	c = sound();
	c.space = 2;
	refused(&c, "space is 2");
	c = sound();
	c.widths = 1 << 3;
	refused(&c, "widths");
	c = sound();
	c.read = NULL;
	refused(&c, "neither read() nor write()");
	c = sound();
	c.state_bytes = SIZE_MAX;
	refused(&c, "state");
}

TEST(adapter_refuses_options_without_name_text_or_setter)
{
	struct qvm_vdev_option o[QVM_VDEV_OPTIONS + 2] = {{"Big", NULL, "text", set_nothing}};
	struct qvm_vdev_class c = sound();

	c.options = o;
	refused(&c, "option 0");
	for (int i = 0; i <= QVM_VDEV_OPTIONS; i++)
		o[i] = (struct qvm_vdev_option){"small", NULL, "text", set_nothing};
	refused(&c, "more than 16");
	o[1] = (struct qvm_vdev_option){"small", NULL, "text", NULL};
	refused(&c, "option 1");
}

TEST(adapter_gives_a_silent_refusal_a_text)
{
	static const struct qvm_vdev_option o[] = {{"mode", "X", "text", set_nothing}, {NULL}};
	struct qvm_vdev_class c = sound();
	const struct vdev_class *ours = NULL;
	struct vdev *d;
	struct err e;

	c.options = o;
	assert_int_equal(adapter_make(&c, "thing", &ours, &e), 0);
	d = vdev_new(ours, 1);
	assert_int_equal(ours->options[0].set_one(d, &ours->options[0], "x", &e), -1);
	assert_non_null(strstr(e.msg, "does not take this"));
	vdev_free(d);
	free((void *)ours);
}
