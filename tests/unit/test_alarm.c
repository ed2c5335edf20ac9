/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <poll.h>

#include "base/clock.h"
#include "vmm/machine/alarm.h"
#include "vmm/vdev/vdev.h"

#define HOUR_NS (UINT64_C(3600) * 1000000000)

/* A vdev that counts its alarms, and sets the next deadline if it is told to. */
struct bell {
	struct alarm *alarm;
	unsigned n;
	uint64_t now_ns, next_ns;
};

static void ring(struct vdev *d, uint64_t now_ns)
{
	struct bell *b = d->state;
	struct err e;

	assert_int_equal(d->alarm_ns, 0);
	b->n++;
	b->now_ns = now_ns;
	if (b->next_ns)
		assert_int_equal(alarm_set(b->alarm, d, b->next_ns, &e), 0);
}

static const struct vdev_class bell_class = {
	.name = "bell", .intr = -1, .state_bytes = sizeof(struct bell), .alarm = ring};
static const struct vdev_class deaf_class = {.name = "deaf", .intr = -1};

enum { FIRST, DEAF, SECOND, VDEVS };

struct tower {
	struct alarm alarm;
	struct vdev *vdev[VDEVS];
	struct bell *first, *second;
	unsigned n_passed;
};

static void passed(void *arg, const struct vdev *d)
{
	struct tower *t = arg;

	assert_int_equal(d->alarm_ns, 0);
	t->n_passed++;
}

static void tower_open(struct tower *t)
{
	struct err e;

	t->n_passed = 0;
	assert_int_equal(alarm_init(&t->alarm, passed, t, &e), 0);
	t->vdev[FIRST] = vdev_new(&bell_class, 1);
	t->vdev[DEAF] = vdev_new(&deaf_class, 1);
	t->vdev[SECOND] = vdev_new(&bell_class, 1);
	t->first = t->vdev[FIRST]->state;
	t->second = t->vdev[SECOND]->state;
	t->first->alarm = t->second->alarm = &t->alarm;
}

static void tower_close(struct tower *t)
{
	for (unsigned i = 0; i < VDEVS; i++)
		vdev_free(t->vdev[i]);
	alarm_destroy(&t->alarm);
}

static void set(struct tower *t, unsigned i, uint64_t at_ns)
{
	struct err e;

	assert_int_equal(alarm_set(&t->alarm, t->vdev[i], at_ns, &e), 0);
}

static void serve(struct tower *t, uint64_t now_ns)
{
	struct err e;

	assert_int_equal(alarm_serve(&t->alarm, t->vdev, VDEVS, now_ns, &e), 0);
}

static bool is_readable(const struct tower *t)
{
	return poll(&(struct pollfd){t->alarm.fd, POLLIN, 0}, 1, 0) == 1;
}

TEST(alarm_rings_only_where_the_deadline_has_passed)
{
	uint64_t now_ns = clock_mono_ns();
	struct tower t;

	tower_open(&t);
	serve(&t, UINT64_MAX); /* nobody has a deadline */
	assert_int_equal(t.first->n + t.second->n, 0);
	set(&t, FIRST, now_ns + HOUR_NS);
	set(&t, SECOND, now_ns + 2 * HOUR_NS);
	assert_false(is_readable(&t));
	serve(&t, now_ns + HOUR_NS - 1);
	assert_int_equal(t.first->n, 0);
	serve(&t, now_ns + HOUR_NS);
	assert_int_equal(t.first->n, 1);
	assert_int_equal(t.first->now_ns, now_ns + HOUR_NS);
	assert_int_equal(t.second->n, 0);
	assert_int_equal(t.alarm.armed_ns, now_ns + 2 * HOUR_NS);
	serve(&t, now_ns + HOUR_NS); /* once is once */
	assert_int_equal(t.first->n, 1);
	assert_int_equal(t.n_passed, 1);
	tower_close(&t);
}

TEST(alarm_of_the_past_wakes_the_loop_at_once)
{
	uint64_t now_ns = clock_mono_ns();
	struct tower t;

	tower_open(&t);
	set(&t, FIRST, now_ns + HOUR_NS);
	set(&t, SECOND, 1);
	assert_true(is_readable(&t));
	serve(&t, now_ns);
	assert_false(is_readable(&t));
	assert_int_equal(t.first->n, 0);
	assert_int_equal(t.second->n, 1);
	assert_int_equal(t.alarm.armed_ns, now_ns + HOUR_NS);
	tower_close(&t);
}

TEST(alarm_put_off_or_cancelled_rings_no_more_at_the_old_time)
{
	uint64_t now_ns = clock_mono_ns();
	struct tower t;

	tower_open(&t);
	set(&t, FIRST, 1);
	set(&t, SECOND, 1);
	set(&t, FIRST, now_ns + HOUR_NS);
	set(&t, SECOND, 0);
	assert_true(is_readable(&t)); /* for nothing */
	serve(&t, now_ns);
	assert_int_equal(t.first->n + t.second->n, 0);
	assert_false(is_readable(&t));
	assert_int_equal(t.alarm.armed_ns, now_ns + HOUR_NS);
	tower_close(&t);
}

TEST(alarm_may_set_the_next_one)
{
	uint64_t now_ns = clock_mono_ns();
	struct tower t;

	tower_open(&t);
	t.first->next_ns = now_ns + HOUR_NS;
	set(&t, FIRST, now_ns);
	set(&t, SECOND, now_ns + 2 * HOUR_NS);
	serve(&t, now_ns);
	assert_int_equal(t.first->n, 1);
	assert_int_equal(t.alarm.armed_ns, now_ns + HOUR_NS);
	t.first->next_ns = 1; /* due again: the loop's next turn, not an endless one */
	serve(&t, now_ns + HOUR_NS);
	assert_int_equal(t.first->n, 2);
	assert_true(is_readable(&t));
	tower_close(&t);
}
