/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hpet - the high precision event timer, after the IA-PC HPET Specification 1.0a (section numbers below).
 *
 * The main counter has 64 bits and runs with the host's monotonic clock. Every timer can be periodic, has
 * 64 bits and takes messages (FSB). Which line a timer drives is the configuration's affair: its
 * INT_ROUTE_CAP has one bit, and legacy replacement (2.3.5) moves nothing, it tells the guest that timer 0
 * and 1 stand where the 8254 and the clock would be. A comparator that the counter has passed already
 * waits until the counter comes round, as in hardware. A timer interrupts every 20 us at most: what a
 * guest asks for beyond that comes as one.
 */
#include "vmm/vdev/hpet.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "vmm/conf/number.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"

enum { BASE = 0xfed00000, BYTES = 0x1000 }; /* where chipsets have it */
enum { TIMERS = 32, DEFAULT_TIMERS = 3, LINES = 24 };
enum {
	DEFAULT_HZ = 14318180,
	LEAST_HZ = 10000000,
	MOST_HZ = 1000000000
}; /* 2.3.4: 100 ns at most */
enum { REG_CAP = 0x00, REG_CONF = 0x10, REG_STATUS = 0x20, REG_COUNTER = 0xf0, REG_TIMER = 0x100 };
enum { TIMER_CONF = 0x00, TIMER_COMPARATOR = 0x08, TIMER_ROUTE = 0x10, TIMER_STRIDE = 0x20 };
/* 2.3.4, 2.3.5 */
enum { CAP_REV = 1, CAP_64 = 1 << 13, CAP_LEGACY = 1 << 15, VENDOR = 0x8086 };
enum { CONF_ENABLE = 1 << 0, CONF_LEGACY = 1 << 1 };
/* 2.3.8 */
enum {
	T_LEVEL = 1 << 1,
	T_ENABLE = 1 << 2,
	T_PERIODIC = 1 << 3,
	T_PERIODIC_CAP = 1 << 4,
	T_64_CAP = 1 << 5,
	T_SET = 1 << 6,
	T_32 = 1 << 8,
	T_FSB = 1 << 14,
	T_FSB_CAP = 1 << 15,
	T_WRITABLE = T_LEVEL | T_ENABLE | T_PERIODIC | T_SET | T_32 | T_FSB,
	T_ROUTE_SHIFT = 9,
};
#define NS_PER_S UINT64_C(1000000000)
#define FS_PER_S UINT64_C(1000000000000000)
enum { LEAST_GAP_NS = 20000 };
/* Beyond that a deadline is none: centuries. */
#define FAR_TICKS (UINT64_C(1) << 62)

struct timer {
	int line;
	uint32_t conf; /* T_WRITABLE bits */
	uint64_t comparator, period, route;
	bool is_due_set;
	uint64_t due; /* value of the whole counter at which it fires */
};

struct hpet {
	uint32_t hz;
	bool is_legacy_free, is_running, has_legacy, lines_are_given;
	uint64_t counter;  /* at since_ns, while it runs; else as it stands */
	uint64_t since_ns; /* monotonic */
	uint32_t status;
	struct timer timer[TIMERS];
	unsigned n;
	char pic[TIMERS][VDEV_NAME];
};

static uint64_t counter_at(const struct hpet *h, uint64_t now_ns)
{
	unsigned __int128 ns = now_ns - h->since_ns;

	return h->is_running ? h->counter + (uint64_t)(ns * h->hz / NS_PER_S) : h->counter;
}

static uint64_t capabilities(const struct hpet *h)
{
	return FS_PER_S / h->hz << 32 | (uint64_t)VENDOR << 16 |
	       (h->is_legacy_free ? 0u : (unsigned)CAP_LEGACY) | CAP_64 | (h->n - 1) << 8 | CAP_REV;
}

uint32_t hpet_block_id(const struct vdev *d)
{
	return (uint32_t)capabilities(d->state);
}

static uint64_t mask_of(const struct timer *t)
{
	return t->conf & T_32 ? UINT32_MAX : UINT64_MAX;
}

/* The next moment at which counter and comparator are the same. */
static void set_due(const struct hpet *h, struct timer *t, uint64_t counter)
{
	uint64_t ahead = (t->comparator - counter) & mask_of(t);

	t->is_due_set = h->is_running && ahead < FAR_TICKS;
	t->due = counter + ahead;
}

static void set_line(struct vdev *d, const struct timer *t, bool level)
{
	if (t->line >= 0)
		machine_line(d->machine, d, t->line, level);
}

static void fire(struct vdev *d, struct timer *t)
{
	struct hpet *h = d->state;
	bool is_heard = t->conf & T_ENABLE;

	/* 2.3.8: one that shall not interrupt operates all the same, and has its status. */
	if ((t->conf & T_LEVEL) && !(t->conf & T_FSB)) {
		h->status |= UINT32_C(1) << (t - h->timer);
		set_line(d, t, is_heard);
	} else if (is_heard && (t->conf & T_FSB)) {
		machine_message(d->machine, d, t->route >> 32, (uint32_t)t->route);
	} else if (is_heard) {
		set_line(d, t, true);
		set_line(d, t, false);
	}
}

/* Fire what is due, once each; a periodic timer goes on behind the counter. */
static void serve(struct vdev *d, uint64_t counter)
{
	struct hpet *h = d->state;

	for (struct timer *t = h->timer; t < h->timer + h->n; t++) {
		uint64_t late = counter - t->due;

		if (!t->is_due_set || late >= FAR_TICKS)
			continue;
		t->is_due_set = false;
		fire(d, t);
		if ((t->conf & T_PERIODIC) && t->period) {
			t->comparator = t->due + (late / t->period + 1) * t->period;
			set_due(h, t, counter);
			t->comparator &= mask_of(t);
		} else if (t->conf & T_32) {
			/* 2.3.9.2.1: it comes round */
			t->is_due_set = true;
			t->due += UINT64_C(1) << 32;
		}
	}
}

/* For those that interrupt; what the others have done is served when somebody looks. */
static void arm(struct vdev *d, uint64_t now_ns)
{
	const struct hpet *h = d->state;
	uint64_t counter = counter_at(h, now_ns), nearest = FAR_TICKS, in_ns;

	for (const struct timer *t = h->timer; t < h->timer + h->n; t++) {
		uint64_t ahead = t->due - counter;

		if (t->is_due_set && (t->conf & T_ENABLE) &&
		    (ahead >= FAR_TICKS ? 0 : ahead) < nearest)
			nearest = ahead >= FAR_TICKS ? 0 : ahead;
	}
	if (nearest == FAR_TICKS) {
		machine_alarm(d->machine, d, 0);
		return;
	}
	in_ns = (uint64_t)(((unsigned __int128)nearest * NS_PER_S + h->hz - 1) / h->hz);
	if (in_ns > INT64_MAX / 2)
		in_ns = INT64_MAX / 2;
	machine_alarm(d->machine, d, now_ns + (in_ns < LEAST_GAP_NS ? LEAST_GAP_NS : in_ns));
}

static void hpet_alarm(struct vdev *d, uint64_t now_ns)
{
	serve(d, counter_at(d->state, now_ns));
	arm(d, now_ns);
}

static uint64_t timer_conf(const struct timer *t)
{
	uint32_t line = t->line >= 0 ? (uint32_t)t->line : 0;

	return (t->line >= 0 ? UINT64_C(1) << (32 + line) : 0) | T_FSB_CAP |
	       (uint64_t)line << T_ROUTE_SHIFT | T_64_CAP | T_PERIODIC_CAP | t->conf;
}

/* The whole register at `at`, which is a multiple of 8. */
static uint64_t read_register(const struct hpet *h, uint64_t at, uint64_t now_ns)
{
	const struct timer *t;

	if (at < REG_TIMER) {
		switch (at) {
		case REG_CAP: return capabilities(h);
		case REG_CONF:
			return (h->is_running ? CONF_ENABLE : 0u) |
			       (h->has_legacy ? CONF_LEGACY : 0u);
		case REG_STATUS: return h->status;
		case REG_COUNTER: return counter_at(h, now_ns);
		default: return 0;
		}
	}
	t = &h->timer[(at - REG_TIMER) / TIMER_STRIDE];
	if (t >= h->timer + h->n)
		return 0;
	switch (at % TIMER_STRIDE) {
	case TIMER_CONF: return timer_conf(t);
	case TIMER_COMPARATOR: return t->comparator & mask_of(t);
	case TIMER_ROUTE: return t->route;
	default: return 0;
	}
}

static void write_conf(struct hpet *h, uint64_t value, uint64_t now_ns)
{
	uint64_t counter = counter_at(h, now_ns);

	h->counter = counter;
	h->since_ns = now_ns;
	h->is_running = value & CONF_ENABLE;
	h->has_legacy = (value & CONF_LEGACY) && !h->is_legacy_free;
	for (struct timer *t = h->timer; t < h->timer + h->n; t++)
		set_due(h, t, counter);
}

/* 2.3.6: a one clears, and lowers the line of a level. */
static void write_status(struct vdev *d, uint64_t value)
{
	struct hpet *h = d->state;

	for (unsigned i = 0; i < h->n; i++)
		if (h->status & (uint32_t)value & UINT32_C(1) << i)
			set_line(d, &h->timer[i], false);
	h->status &= (uint32_t)~value;
}

static void write_timer_conf(struct vdev *d, struct timer *t, uint64_t value)
{
	struct hpet *h = d->state;
	uint32_t bit = UINT32_C(1) << (t - h->timer);

	t->conf = (uint32_t)value & T_WRITABLE;
	if (t->conf & T_32) {
		t->comparator &= UINT32_MAX;
		t->period &= UINT32_MAX;
	}
	if (!(h->status & bit))
		return;
	if (!(t->conf & T_LEVEL) || (t->conf & T_FSB))
		h->status &= ~bit;
	set_line(d, t, (h->status & bit) && (t->conf & T_ENABLE));
}

static void merge(uint64_t *to, uint64_t value, uint64_t written)
{
	*to = (*to & ~written) | (value & written);
}

/* 2.3.9.2.2: a periodic timer's comparator is set once after T_SET; without it, the period. Each keeps
 * its own half that is not written. */
static void write_comparator(struct timer *t, uint64_t value, uint64_t written)
{
	written &= mask_of(t);
	if (!(t->conf & T_PERIODIC) || (t->conf & T_SET))
		merge(&t->comparator, value, written);
	if (t->conf & T_PERIODIC)
		merge(&t->period, value, written);
	t->conf &= ~(uint32_t)T_SET;
}

static void write_timer(struct vdev *d, uint64_t at, uint64_t value, uint64_t written,
			uint64_t now_ns)
{
	struct hpet *h = d->state;
	struct timer *t = &h->timer[(at - REG_TIMER) / TIMER_STRIDE];

	if (t >= h->timer + h->n)
		return;
	serve(d, counter_at(h, now_ns));
	switch (at % TIMER_STRIDE) {
	case TIMER_CONF: write_timer_conf(d, t, value); break;
	case TIMER_COMPARATOR: write_comparator(t, value, written); break;
	case TIMER_ROUTE: t->route = value; return;
	default: return;
	}
	set_due(h, t, counter_at(h, now_ns));
}

static uint64_t hpet_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	uint64_t at = offset & ~UINT64_C(7), now_ns = clock_mono_ns(), value = 0;

	(void)region;
	if (at == REG_STATUS || at >= REG_TIMER)
		serve(d, counter_at(d->state, now_ns));
	if (at < REG_TIMER + TIMERS * TIMER_STRIDE)
		value = read_register(d->state, at, now_ns);
	value >>= 8 * (offset & 7);
	return width == 4 ? (uint32_t)value : offset & 7 ? 0 : value;
}

static void hpet_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
		       uint64_t value)
{
	uint64_t at = offset & ~UINT64_C(7), now_ns = clock_mono_ns(), old;
	uint64_t written = width == 8 ? UINT64_MAX : (uint64_t)UINT32_MAX << 8 * (offset & 4);
	struct hpet *h = d->state;

	(void)region;
	/* 2.2: aligned, in 32 or 64 bits. */
	if (at >= REG_TIMER + TIMERS * TIMER_STRIDE || (offset & (width - 1)))
		return;
	/* A half leaves the other half; of the status only ones count. */
	if (width == 4) {
		old = at == REG_STATUS ? 0 : read_register(h, at, now_ns);
		value = offset & 4 ? (old & UINT32_MAX) | value << 32
				   : (old & ~(uint64_t)UINT32_MAX) | (uint32_t)value;
	}
	switch (at) {
	case REG_CAP: return;
	case REG_CONF: write_conf(h, value, now_ns); break;
	case REG_STATUS: write_status(d, value); return;
	case REG_COUNTER:
		h->counter = value;
		h->since_ns = now_ns;
		for (struct timer *t = h->timer; t < h->timer + h->n; t++)
			set_due(h, t, value);
		break;
	default:
		if (at < REG_TIMER)
			return;
		write_timer(d, at, value, written, now_ns);
		break;
	}
	arm(d, now_ns);
}

/* `intr PIC:LINE[,PIC:LINE...]`: one for each timer, in order; repeated, they go on. */
static int set_intr(struct vdev *d, const char *value, struct err *e)
{
	struct hpet *h = d->state;

	if (!h->lines_are_given)
		h->n = 0;
	h->lines_are_given = true;
	for (const char *p = value; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
		const char *colon = strchr(p, ':');
		size_t n = colon ? (size_t)(colon - p) : 0;
		uint64_t line = LINES;

		if (n == 0 || n >= VDEV_NAME || memchr(p, ',', n) ||
		    number_plain(colon + 1, strcspn(colon + 1, ","), &line, e) < 0 || line >= LINES)
			return err_set(e, CONFIG,
				       "'%.64s' is not PIC:LINE[,PIC:LINE...] with lines from 0 to "
				       "%d, one for each timer, as in intr ioapic:2,ioapic:8",
				       value, LINES - 1);
		if (h->n == TIMERS)
			return err_set(e, CONFIG, "an hpet has at most %d timers", TIMERS);
		memcpy(h->pic[h->n], p, n);
		h->pic[h->n][n] = '\0';
		h->timer[h->n++].line = (int)line;
	}
	return 0;
}

static int set_frequency(struct vdev *d, const char *value, struct err *e)
{
	struct hpet *h = d->state;
	uint64_t hz;

	if (number_plain(value, strlen(value), &hz, e) < 0)
		return -1;
	if (hz < LEAST_HZ || hz > MOST_HZ)
		return err_set(e, CONFIG,
			       "frequency '%.32s' is out of bounds: give Hz from %d to %d", value,
			       LEAST_HZ, MOST_HZ);
	h->hz = (uint32_t)hz;
	return 0;
}

static int set_legacy_free(struct vdev *d, const char *value, struct err *e)
{
	struct hpet *h = d->state;

	(void)value;
	(void)e;
	h->is_legacy_free = true;
	return 0;
}

static int hpet_check(struct vdev *d, struct err *e)
{
	if (d->region[0].space != VDEV_MEM || d->region[0].base % BYTES)
		return err_set(e, CONFIG,
			       "an hpet answers at a page of memory addresses: write loc 0x%x or "
			       "leave it out",
			       BASE);
	return 0;
}

static int hpet_line(const struct vdev *d, unsigned n, const char **ret_pic)
{
	const struct hpet *h = d->state;

	*ret_pic = h->lines_are_given && n < h->n ? h->pic[n] : NULL;
	return n < h->n ? h->timer[n].line : -1;
}

/* As Linux expects them: the lines of the 8254 and of the clock, and a free one. */
static void hpet_init(struct vdev *d)
{
	static const int lines[DEFAULT_TIMERS] = {0, 8, 11};
	struct hpet *h = d->state;

	h->hz = DEFAULT_HZ;
	h->n = DEFAULT_TIMERS;
	for (unsigned i = 0; i < DEFAULT_TIMERS; i++)
		h->timer[i].line = lines[i];
	for (unsigned i = 0; i < TIMERS; i++)
		h->timer[i].comparator = UINT64_MAX; /* 2.3.9 */
	h->since_ns = clock_mono_ns();
}

static const struct vdev_option options[] = {
	{"intr", "PIC:LINE[,PIC:LINE...]", "the lines of its timers in order; repeatable",
	 set_intr},
	{"frequency", "HZ", "of the counter; 14318180 if not given", set_frequency},
	{"legacy-free", NULL, "does not offer to stand in for timer8254 and mc146818",
	 set_legacy_free},
	{NULL},
};

static const struct vdev_class hpet = {
	.name = "hpet",
	.summary = "high precision event timer",
	.space = VDEV_MEM,
	.widths = VDEV_DWORD | VDEV_QWORD,
	.region = {{BASE, BYTES}},
	.intr = -1,
	.state_bytes = sizeof(struct hpet),
	.options = options,
	.line = hpet_line,
	.init = hpet_init,
	.check = hpet_check,
	.read = hpet_read,
	.write = hpet_write,
	.alarm = hpet_alarm,
};
VDEV_REGISTER(hpet);
