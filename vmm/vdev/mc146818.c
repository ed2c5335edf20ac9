/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mc146818 - the PC's real-time clock and CMOS memory, after Motorola's MC146818A data sheet.
 *
 * The time is the host's UTC; a guest that sets the clock (register B, SET) moves its own by that
 * much. Times are BCD or binary, 24 h or 12 h, as register B says. Bit 7 of the index port, the
 * PC's NMI mask, is ignored.
 * Not there: the interrupt line. Register C shows UF, PF and AF to a guest that polls, and IRQF
 * stays 0; a daylight-saving change (DSE), the square wave and a stopped divider do nothing.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "vmm/conf/number.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"

enum { PORT_INDEX, PORT_DATA };
enum {
	REG_SECONDS,
	REG_SECONDS_ALARM,
	REG_MINUTES,
	REG_MINUTES_ALARM,
	REG_HOURS,
	REG_HOURS_ALARM,
	REG_WEEKDAY,
	REG_DAY,
	REG_MONTH,
	REG_YEAR,
	REG_A,
	REG_B,
	REG_C,
	REG_D,
	/* Memory, as a BIOS leaves it: KiB below 640, KiB from 1 MiB on (twice), 64 KiB from 16 MiB on
	 * and 64 KiB from 4 GiB on (the last two as Bochs and QEMU have them, for SeaBIOS). */
	REG_BASE_KIB = 0x15,
	REG_EXTENDED_KIB = 0x17,
	REG_EXTENDED_KIB_2 = 0x30,
	REG_CENTURY = 0x32, /* where FADT's CENTURY would point */
	REG_ABOVE_16M = 0x34,
	REG_ABOVE_4G = 0x5b,
	REG_CPUS = 0x5f, /* how many more than one */
	REG_COUNT = 128,
};
enum { A_UIP = 0x80, A_DEFAULT = 0x26 }; /* 32.768 kHz, 1024 Hz periodic */
enum { B_SET = 0x80, B_BINARY = 0x04, B_24H = 0x02 };
enum { C_UF = 0x10, C_AF = 0x20, C_PF = 0x40 };
enum { D_VRT = 0x80 };
enum { HOUR_PM = 0x80, ALARM_ANY = 0xc0 };
enum { UIP_MS = 1 }; /* the data sheet's 244 us, rounded up to our clock */

struct rtc {
	uint8_t index;
	uint8_t cmos[REG_COUNT];
	bool is_given[REG_COUNT]; /* by `reg` */
	int64_t offset_ms;	  /* of the guest's clock to the host's */
	int64_t flags_since_ms;	  /* guest's time of the last read of register C */
};

static int64_t now_ms(const struct rtc *r)
{
	return clock_wall_ms() + r->offset_ms;
}

static uint8_t encode(const struct rtc *r, int n)
{
	return (uint8_t)(r->cmos[REG_B] & B_BINARY ? n : n / 10 << 4 | n % 10);
}

/* A guest may have written anything: the result is bounded by 0xff, mktime() normalises it. */
static int decode(const struct rtc *r, uint8_t v)
{
	return r->cmos[REG_B] & B_BINARY ? v : (v >> 4) * 10 + (v & 15);
}

static uint8_t encode_hour(const struct rtc *r, int hour)
{
	if (r->cmos[REG_B] & B_24H)
		return encode(r, hour);
	return (uint8_t)(encode(r, (hour + 11) % 12 + 1) | (hour >= 12 ? HOUR_PM : 0));
}

static int decode_hour(const struct rtc *r, uint8_t v)
{
	if (r->cmos[REG_B] & B_24H)
		return decode(r, v);
	return decode(r, v & (uint8_t)~HOUR_PM) % 12 + (v & HOUR_PM ? 12 : 0);
}

/* Table 3 of the data sheet: time and calendar. */
static void show_time(struct rtc *r, int64_t ms)
{
	time_t s = (time_t)(ms / 1000);
	unsigned year;
	struct tm t;

	gmtime_r(&s, &t);
	year = (unsigned)(t.tm_year + 1900) % 10000; /* a guest may set year 0 and less */
	r->cmos[REG_SECONDS] = encode(r, t.tm_sec);
	r->cmos[REG_MINUTES] = encode(r, t.tm_min);
	r->cmos[REG_HOURS] = encode_hour(r, t.tm_hour);
	r->cmos[REG_WEEKDAY] = encode(r, t.tm_wday + 1);
	r->cmos[REG_DAY] = encode(r, t.tm_mday);
	r->cmos[REG_MONTH] = encode(r, t.tm_mon + 1);
	r->cmos[REG_YEAR] = encode(r, (int)(year % 100));
	r->cmos[REG_CENTURY] = encode(r, (int)(year / 100));
}

static void take_time(struct rtc *r)
{
	struct tm t = {
		.tm_sec = decode(r, r->cmos[REG_SECONDS]),
		.tm_min = decode(r, r->cmos[REG_MINUTES]),
		.tm_hour = decode_hour(r, r->cmos[REG_HOURS]),
		.tm_mday = decode(r, r->cmos[REG_DAY]),
		.tm_mon = decode(r, r->cmos[REG_MONTH]) - 1,
		.tm_year =
			decode(r, r->cmos[REG_YEAR]) + (decode(r, r->cmos[REG_CENTURY]) - 19) * 100,
	};

	r->offset_ms = (int64_t)timegm(&t) * 1000 - clock_wall_ms();
	r->flags_since_ms = now_ms(r);
}

static bool alarm_matches(const struct rtc *r, int64_t ms)
{
	time_t s = (time_t)(ms / 1000);
	struct tm t;
	uint8_t sec = r->cmos[REG_SECONDS_ALARM], min = r->cmos[REG_MINUTES_ALARM],
		hour = r->cmos[REG_HOURS_ALARM];

	gmtime_r(&s, &t);
	return (sec >= ALARM_ANY || sec == encode(r, t.tm_sec)) &&
	       (min >= ALARM_ANY || min == encode(r, t.tm_min)) &&
	       ((hour & ALARM_ANY) == ALARM_ANY || hour == encode_hour(r, t.tm_hour));
}

/* What happened since the guest last asked. An alarm is looked for in the last minute at most. */
static uint8_t read_c(struct rtc *r)
{
	enum { LOOK_BACK_S = 60 };
	int64_t now = now_ms(r), since = r->flags_since_ms;
	uint8_t c = 0;

	r->flags_since_ms = now;
	if (now > since && (r->cmos[REG_A] & 15))
		c |= C_PF;
	if (now / 1000 > since / 1000)
		c |= C_UF;
	for (int64_t s = now / 1000; s > since / 1000 && s > now / 1000 - LOOK_BACK_S; s--)
		if (alarm_matches(r, s * 1000))
			c |= C_AF;
	return c;
}

static uint64_t mc146818_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	struct rtc *r = d->state;
	int64_t now = now_ms(r);

	(void)region;
	(void)width;
	if (offset == PORT_INDEX)
		return 0xff; /* write-only on the PC */
	if (!(r->cmos[REG_B] & B_SET))
		show_time(r, now);
	switch (r->index) {
	case REG_A:
		return r->cmos[REG_A] |
		       (!(r->cmos[REG_B] & B_SET) && now % 1000 >= 1000 - UIP_MS ? A_UIP : 0);
	case REG_C: return read_c(r);
	case REG_D: return D_VRT;
	default: return r->cmos[r->index];
	}
}

static void mc146818_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
			   uint64_t value)
{
	struct rtc *r = d->state;
	uint8_t byte = (uint8_t)value;
	bool was_set = r->cmos[REG_B] & B_SET;

	(void)region;
	(void)width;
	if (offset == PORT_INDEX) {
		r->index = byte & (REG_COUNT - 1);
		return;
	}
	switch (r->index) {
	case REG_A: r->cmos[REG_A] = byte & (uint8_t)~A_UIP; break;
	case REG_B:
		if (!was_set && (byte & B_SET))
			show_time(r, now_ms(r));
		r->cmos[REG_B] = byte;
		if (was_set && !(byte & B_SET))
			take_time(r);
		break;
	case REG_C:
	case REG_D: break; /* read-only */
	default:
		if (!was_set)
			show_time(r, now_ms(r));
		r->cmos[r->index] = byte;
		if (!was_set && (r->index <= REG_YEAR || r->index == REG_CENTURY) &&
		    r->index != REG_SECONDS_ALARM && r->index != REG_MINUTES_ALARM &&
		    r->index != REG_HOURS_ALARM && r->index != REG_WEEKDAY)
			take_time(r);
		break;
	}
}

/* `reg OFF,VAL`: the initial content of one register. */
static int set_reg(struct vdev *d, const char *value, struct err *e)
{
	struct rtc *r = d->state;
	const char *comma = strchr(value, ',');
	uint64_t reg, v;

	if (!comma || number_plain(value, (size_t)(comma - value), &reg, e) < 0 ||
	    number_plain(comma + 1, strlen(comma + 1), &v, e) < 0 || reg >= REG_COUNT || v > 0xff)
		return err_set(e, CONFIG,
			       "'%s' is not REGISTER,VALUE; give a register from 0 to 0x7f and a "
			       "value from 0 to 0xff, as in reg 0x0b,0x02",
			       value);
	if (reg == REG_C || reg == REG_D)
		return err_set(e, CONFIG, "register 0x%02" PRIx64 " is read-only; leave it out",
			       reg);
	if (reg <= REG_YEAR || reg == REG_CENTURY)
		return err_set(e, CONFIG,
			       "register 0x%02" PRIx64 " shows the host's time; leave it out", reg);
	r->cmos[reg] = (uint8_t)v;
	r->is_given[reg] = true;
	return 0;
}

static int mc146818_check(struct vdev *d, struct err *e)
{
	struct rtc *r = d->state;

	if (d->region[0].bytes != 2)
		return err_set(e, CONFIG, "an mc146818 has 2 ports: give its loc no length");
	r->cmos[REG_B] &= (uint8_t)~B_SET;
	return 0;
}

/* What the configuration has not said itself. */
static void fill(struct rtc *r, unsigned reg, unsigned bytes, uint64_t value)
{
	if (value >> (8 * bytes))
		value = (UINT64_C(1) << (8 * bytes)) - 1;
	for (unsigned i = 0; i < bytes; i++, value >>= 8)
		if (!r->is_given[reg + i])
			r->cmos[reg + i] = (uint8_t)value;
}

static int mc146818_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	const uint64_t mib = 1 << 20, top = UINT64_C(1) << 32;
	uint64_t low = machine_ram_from(m, 0), high = machine_ram_from(m, mib);
	struct rtc *r = d->state;

	(void)e;
	low = low < 640 << 10 ? low : 640 << 10;
	fill(r, REG_BASE_KIB, 2, low >> 10);
	fill(r, REG_EXTENDED_KIB, 2, high >> 10);
	fill(r, REG_EXTENDED_KIB_2, 2, high >> 10);
	fill(r, REG_ABOVE_16M, 2, high > 15 * mib ? (high - 15 * mib) >> 16 : 0);
	fill(r, REG_ABOVE_4G, 3, machine_ram_from(m, top) >> 16);
	fill(r, REG_CPUS, 1, machine_cpus(m) - 1);
	return 0;
}

static void mc146818_init(struct vdev *d)
{
	struct rtc *r = d->state;

	r->cmos[REG_A] = A_DEFAULT;
	r->cmos[REG_B] = B_24H;
	r->flags_since_ms = now_ms(r);
}

static const struct vdev_option options[] = {
	{"reg", "OFFSET,VALUE", "what a register holds at the start", set_reg},
	{NULL},
};

static const struct vdev_class mc146818 = {
	.name = "mc146818",
	.summary = "real-time clock and CMOS memory",
	.space = VDEV_IO,
	.widths = VDEV_BYTE,
	.is_legacy_timer = true,
	.region = {{0x70, 2}},
	.intr = 8,
	.state_bytes = sizeof(struct rtc),
	.options = options,
	.init = mc146818_init,
	.check = mc146818_check,
	.assemble = mc146818_assemble,
	.read = mc146818_read,
	.write = mc146818_write,
};
VDEV_REGISTER(mc146818);
