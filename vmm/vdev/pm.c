/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pm - ACPI fixed hardware, on every board: ACPI 6.4 chapter 4.8 (PM1a event and control blocks, the
 * power button, the 32-bit PM timer). The FADT that names these ports is made in vmm/x86/.
 *
 * There is no SMI command port, so ACPI mode is always on (SCI_EN reads 1). Only \_S5 exists: soft
 * off ends the VM. Not there: TMR_STS (the guest reads the timer), sleep button, RTC wake, GPEs.
 */
#include "base/clock.h"
#include "schemas/cause.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"

enum { REGION_EVENT, REGION_CONTROL, REGION_TIMER };
enum { STATUS_OFFSET = 0, ENABLE_OFFSET = 2 };
/* 4.8.3.1 PM1 event grouping */
enum {
	PM1_TIMER = 1 << 0,
	PM1_GLOBAL = 1 << 5,
	PM1_POWER_BUTTON = 1 << 8,
	PM1_RTC = 1 << 10, /* never happens, but Linux wants to see it enabled */
	PM1_ENABLES = PM1_TIMER | PM1_GLOBAL | PM1_POWER_BUTTON | PM1_RTC,
};
/* 4.8.3.2 PM1 control grouping */
enum { SCI_EN = 1 << 0, SLP_TYP_SHIFT = 10, SLP_TYP_MASK = 7, SLP_EN = 1 << 13 };
enum { SLP_TYP_S5 = 5 }; /* as the DSDT's \_S5 says */
/* 4.8.2.1 power management timer */
enum { TIMER_HZ = 3579545, NS_PER_S = 1000000000 };

struct pm {
	uint16_t status, enable, control;
	bool line_high;
	uint64_t start_ns;
};

static void update(struct vdev *d)
{
	struct pm *p = d->state;
	bool high = p->status & p->enable & PM1_ENABLES;

	if (d->intr < 0 || high == p->line_high)
		return;
	p->line_high = high;
	machine_interrupt(d->machine, d, high);
}

static uint32_t timer_now(const struct pm *p)
{
	uint64_t ns = clock_mono_ns() - p->start_ns;

	return (uint32_t)(ns / NS_PER_S * TIMER_HZ + ns % NS_PER_S * TIMER_HZ / NS_PER_S);
}

/* The registers of a region as one little-endian number; the access picks its bytes. */
static uint64_t pm_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	const struct pm *p = d->state;
	uint64_t all = 0;

	if (region == REGION_EVENT)
		all = p->status | (uint64_t)p->enable << (8 * ENABLE_OFFSET);
	else if (region == REGION_CONTROL)
		all = p->control | SCI_EN;
	else
		all = timer_now(p);
	return all >> (8 * offset) & ((UINT64_C(1) << (8 * width)) - 1);
}

static void write_control(struct vdev *d, uint16_t value, uint16_t mask)
{
	struct pm *p = d->state;
	uint16_t control = (uint16_t)((p->control & ~mask) | (value & mask));

	p->control = control & (uint16_t)~SLP_EN; /* write-only, reads 0 */
	if ((control & SLP_EN) && (control >> SLP_TYP_SHIFT & SLP_TYP_MASK) == SLP_TYP_S5)
		machine_end_by(d->machine, CAUSE_POWEROFF, 0, "ACPI S5");
}

static void pm_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
		     uint64_t value)
{
	struct pm *p = d->state;
	uint32_t mask = (uint32_t)(((UINT64_C(1) << (8 * width)) - 1) << (8 * offset));
	uint32_t all = (uint32_t)(value << (8 * offset)) & mask;

	if (region == REGION_CONTROL) {
		write_control(d, (uint16_t)all, (uint16_t)mask);
	} else if (region == REGION_EVENT) {
		p->status &= (uint16_t)~all; /* write 1 to clear */
		p->enable &= (uint16_t) ~(mask >> (8 * ENABLE_OFFSET));
		p->enable |= (uint16_t)(all >> (8 * ENABLE_OFFSET) & PM1_ENABLES);
	}
	update(d);
}

/* 4.8.2.2.1.1: the guest hears of the button if it has enabled the event. */
static bool pm_button(struct vdev *d)
{
	struct pm *p = d->state;

	p->status |= PM1_POWER_BUTTON;
	update(d);
	return p->enable & PM1_POWER_BUTTON;
}

static void pm_init(struct vdev *d)
{
	struct pm *p = d->state;

	p->start_ns = clock_mono_ns();
}

static const struct vdev_class pm = {
	.name = "pm",
	.summary = "ACPI power management: button, soft off, timer",
	.space = VDEV_IO,
	.widths = VDEV_BYTE | VDEV_WORD | VDEV_DWORD,
	.is_implicit = true,
	.region = {[REGION_EVENT] = {0x600, 4},
		   [REGION_CONTROL] = {0x604, 2},
		   [REGION_TIMER] = {0x608, 4}},
	.intr = 9,
	.state_bytes = sizeof(struct pm),
	.init = pm_init,
	.read = pm_read,
	.write = pm_write,
	.button = pm_button,
};
VDEV_REGISTER(pm);
