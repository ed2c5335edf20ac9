/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"
#include "tests/unit/vdev_bench.h"

#include <string.h>

#include "base/str.h"
#include "schemas/message.h"
#include "vmm/vdev/vdev.h"

/* --- the bench: the machine's services --- */

static struct vdev_bench *bench_of(struct machine *m)
{
	return (struct vdev_bench *)m;
}

void machine_interrupt(struct machine *m, struct vdev *d, bool level)
{
	struct vdev_bench *b = bench_of(m);

	assert_true(d->intr >= 0);
	b->n_edges += b->line != level;
	b->line = level;
}

void machine_alarm(struct machine *m, struct vdev *d, uint64_t at_ns)
{
	bench_of(m)->n_alarms++;
	assert_non_null(d->class->alarm);
	d->alarm_ns = at_ns;
}

void machine_line(struct machine *m, struct vdev *d, int line, bool level)
{
	struct vdev_bench *b = bench_of(m);

	assert_true(d && line >= 0 && line < 24);
	b->lines = (b->lines & ~(1u << line)) | (uint32_t)level << line;
}

void machine_message(struct machine *m, struct vdev *d, uint64_t address, uint32_t data)
{
	struct vdev_bench *b = bench_of(m);

	assert_non_null(d);
	b->n_messages++;
	b->message_address = address;
	b->message_data = data;
}

void machine_doorbell(struct machine *m, uint64_t gpa, const uint32_t *value, int fd, bool is_on)
{
	struct vdev_bench *b = bench_of(m);
	unsigned i = 0;

	while (i < b->n_bells &&
	       (b->bell[i].gpa != gpa || b->bell[i].value != (value ? (int)*value : -1)))
		i++;
	assert_int_equal(is_on, i == b->n_bells); /* neither twice nor what is not there */
	if (!is_on) {
		assert_int_equal(b->bell[i].fd, fd);
		b->bell[i] = b->bell[--b->n_bells];
		return;
	}
	assert_true(i < sizeof b->bell / sizeof b->bell[0]);
	b->bell[b->n_bells].gpa = gpa;
	b->bell[b->n_bells].value = value ? (int)*value : -1;
	b->bell[b->n_bells++].fd = fd;
}

struct vdev *machine_vdev(struct machine *m, unsigned i)
{
	struct vdev_bench *b = bench_of(m);

	return i == 0 ? b->vdev : i <= 4 ? b->beside[i - 1] : NULL;
}

void *machine_memory(struct machine *m, uint64_t gpa, uint64_t bytes)
{
	struct vdev_bench *b = bench_of(m);

	return gpa < b->memory_bytes && bytes <= b->memory_bytes - gpa ? b->memory + gpa : NULL;
}

void *machine_ram(struct machine *m, uint64_t gpa, uint64_t bytes)
{
	struct vdev_bench *b = bench_of(m);
	uint64_t end = b->memory_bytes < 4096 ? 0 : b->memory_bytes - 4096;

	return gpa < end && bytes <= end - gpa ? b->memory + gpa : NULL;
}

uint64_t machine_ram_from(struct machine *m, uint64_t gpa)
{
	(void)m;
	return gpa < 0xa0000 ? 0xa0000 - gpa : gpa == 1 << 20 ? 63 << 20 : 0;
}

unsigned machine_cpus(const struct machine *m)
{
	(void)m;
	return 2;
}

void machine_end_by(struct machine *m, enum cause cause, uint32_t exit_code, const char *detail)
{
	struct vdev_bench *b = bench_of(m);

	if (b->n_ends++)
		return;
	b->end.cause = cause;
	b->end.exit_code = exit_code;
	str_copy(b->end.detail, sizeof b->end.detail, detail);
}

unsigned machine_slot(struct machine *m)
{
	(void)m;
	return 0;
}

int machine_place(struct machine *m, unsigned slot, uint64_t gpa, uint64_t bytes, void *host,
		  bool is_writable, struct err *e)
{
	(void)is_writable, (void)m, (void)slot, (void)gpa, (void)bytes, (void)host, (void)e;
	return 0;
}

bool machine_ram_range(struct machine *m, unsigned i, struct machine_range *ret)
{
	(void)m, (void)i, (void)ret;
	return false;
}

void machine_sign(struct machine *m)
{
	bench_of(m)->n_signs++;
}

void machine_dump(struct machine *m)
{
	bench_of(m)->n_dumps++;
}

void machine_console(struct machine *m, const char *bytes, size_t n)
{
	struct vdev_bench *b = bench_of(m);

	for (size_t i = 0; i < n; i++, b->n_console++)
		if (b->n_console < sizeof b->console)
			b->console[b->n_console] = bytes[i];
}

const char *machine_name(const struct machine *m)
{
	(void)m;
	return "test";
}

struct blackbox_vdev *machine_counters(struct machine *m, const struct vdev *d)
{
	(void)d;
	return &bench_of(m)->counters;
}

void vdev_bench_make(struct vdev_bench *b, const char *class_name)
{
	const struct vdev_class *class = vdev_class_find(class_name);

	assert_non_null(class);
	memset(b, 0, sizeof *b);
	b->vdev = vdev_new(class, 1);
}

void vdev_bench_assemble(struct vdev_bench *b)
{
	const struct vdev_class *class = b->vdev->class;
	struct err e;

	if (class->check)
		assert_int_equal(class->check(b->vdev, &e), 0);
	b->vdev->machine = (struct machine *)b;
	if (class->assemble)
		assert_int_equal(class->assemble(b->vdev, b->vdev->machine, &e), 0);
}

void vdev_bench_open(struct vdev_bench *b, const char *class_name)
{
	vdev_bench_make(b, class_name);
	vdev_bench_assemble(b);
}

void vdev_bench_close(struct vdev_bench *b)
{
	b->vdev = vdev_free(b->vdev);
}

int vdev_bench_option(struct vdev_bench *b, const char *name, const char *value, struct err *e)
{
	const struct vdev_option *o = b->vdev->class->options;

	while (o->name && strcmp(o->name, name))
		o++;
	assert_non_null(o->name);
	return o->set(b->vdev, value, e);
}

static unsigned region_at(const struct vdev *d, uint64_t address, unsigned width)
{
	for (unsigned i = 0; i < d->n_regions; i++)
		if (address >= d->region[i].base &&
		    address + width <= d->region[i].base + d->region[i].bytes)
			return i;
	fail_msg("no region of %s at 0x%llx", d->name, (unsigned long long)address);
	return 0;
}

void vdev_bench_pass(struct vdev_bench *b, uint64_t now_ns)
{
	struct vdev *d = b->vdev;

	if (!d->alarm_ns || d->alarm_ns > now_ns)
		return;
	d->alarm_ns = 0;
	d->class->alarm(d, now_ns);
}

uint64_t vdev_bench_read(struct vdev_bench *b, uint64_t address, unsigned width)
{
	unsigned i = region_at(b->vdev, address, width);

	return b->vdev->class->read(b->vdev, i, address - b->vdev->region[i].base, width);
}

void vdev_bench_write(struct vdev_bench *b, uint64_t address, unsigned width, uint64_t value)
{
	unsigned i = region_at(b->vdev, address, width);

	b->vdev->class->write(b->vdev, i, address - b->vdev->region[i].base, width, value);
}

/* --- the class itself --- */

TEST(vdev_classes_have_different_names_and_are_whole)
{
	unsigned i = 0, n = 0;

	for (const struct vdev_class *c = vdev_class_next(&i); c; c = vdev_class_next(&i), n++) {
		assert_ptr_equal(vdev_class_find(c->name), c);
		assert_true(c->region[0].bytes || c->is_pci || c->needs_loc);
		assert_int_equal(c->input == NULL, c->room == NULL);
	}
	assert_true(n >= 9);
	assert_null(vdev_class_find("ser8251"));
}

TEST(vdev_input_takes_no_more_than_there_is_room)
{
	static const uint8_t bytes[8192];
	struct vdev_bench b;
	size_t room;

	vdev_bench_open(&b, "ser8250");
	room = vdev_room(b.vdev);
	assert_true(room > 0 && room < sizeof bytes);
	/* One byte moves on into the receiver at once. */
	assert_int_equal(vdev_input(b.vdev, bytes, sizeof bytes), room);
	assert_int_equal(vdev_input(b.vdev, bytes, sizeof bytes), 1);
	assert_int_equal(vdev_input(b.vdev, bytes, sizeof bytes), 0);
	assert_int_equal(vdev_room(b.vdev), 0);
	vdev_bench_close(&b);
	vdev_bench_open(&b, "reset");
	assert_int_equal(vdev_input(b.vdev, bytes, 1), 0);
	vdev_bench_close(&b);
}

TEST(vdev_that_a_vcpu_keeps_locked_does_not_stop_the_loop)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "ser8250");
	pthread_mutex_lock(&b.vdev->lock);
	assert_int_equal(vdev_room(b.vdev), 0);
	assert_int_equal(vdev_input(b.vdev, (const uint8_t *)"x", 1), 0);
	pthread_mutex_unlock(&b.vdev->lock);
	assert_true(vdev_room(b.vdev) > 0);
	vdev_bench_close(&b);
}

TEST(vdev_is_the_console_when_its_hostdev_is_the_console_or_absent)
{
	struct vdev_bench b;
	struct err e;

	vdev_bench_make(&b, "ser8250");
	assert_true(vdev_is_console(b.vdev));
	assert_int_equal(vdev_bench_option(&b, "hostdev", ">/tmp/x", &e), 0);
	assert_false(vdev_is_console(b.vdev));
	assert_int_equal(vdev_bench_option(&b, "hostdev", ">-", &e), 0);
	assert_true(vdev_is_console(b.vdev));
	vdev_bench_close(&b);
	vdev_bench_make(&b, "mc146818");
	assert_false(vdev_is_console(b.vdev));
	vdev_bench_close(&b);
}

TEST(vdev_refuses_a_ninth_host_file)
{
	struct vdev_bench b;
	struct err e;

	vdev_bench_make(&b, "ser8250");
	for (int i = 0; i < 4; i++)
		assert_int_equal(vdev_bench_option(&b, "hostdev", "/dev/a", &e), 0);
	assert_int_equal(b.vdev->want[0].kind, WANT_OUTPUT);
	assert_int_equal(b.vdev->want[1].kind, WANT_INPUT);
	assert_int_equal(vdev_bench_option(&b, "hostdev", "<c", &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	vdev_bench_close(&b);
}

TEST(vdev_names_of_kvm_devices_answer_at_their_own_place_only)
{
	static const char *const names[] = {"ioapic", "apic", "8259", "timer8254"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct vdev_bench b;
		struct err e;

		vdev_bench_open(&b, names[i]);
		assert_null(b.vdev->class->read);
		assert_null(b.vdev->class->write);
		b.vdev->region[0].base = 0xf8000000;
		assert_int_equal(b.vdev->class->check(b.vdev, &e), -1);
		assert_non_null(strstr(e.msg, "leave"));
		vdev_bench_close(&b);
	}
}

TEST(reset_ports_restart_the_guest)
{
	struct vdev_bench b;

	vdev_bench_open(&b, "reset");
	vdev_bench_write(&b, 0x92, 1, 0x02); /* A20 alone */
	vdev_bench_write(&b, 0xcf9, 1, 0x02);
	assert_int_equal(b.n_ends, 0);
	assert_int_equal(vdev_bench_read(&b, 0x92, 1), 0x02);
	vdev_bench_write(&b, 0xcf9, 1, 0x06);
	assert_int_equal(b.n_ends, 1);
	assert_int_equal(b.end.cause, CAUSE_REBOOT);
	vdev_bench_write(&b, 0xcf9, 1, 0x06); /* no edge */
	assert_int_equal(b.n_ends, 1);
	vdev_bench_write(&b, 0x92, 1, 0x03);
	assert_int_equal(b.n_ends, 2);
	assert_string_equal(b.end.detail, "reset port 0xcf9");
	vdev_bench_close(&b);
}
