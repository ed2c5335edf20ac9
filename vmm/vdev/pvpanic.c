/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pvpanic - a guest tells that it has panicked (QEMU's docs/specs/pvpanic.rst; Linux's drivers
 * drivers/misc/pvpanic): one register, which reads as the events that it takes and of which a write
 * tells some. At port 0x505, found by the ACPI device QEMU0001 (vmm/x86/dsdt.c); `pvpanic-pci` is the
 * same as a PCI function.
 *
 * A panic ends the VM, unless the action is to log it. A guest with a crash kernel says that it will
 * dump itself first: that is logged, the guest goes on.
 */
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "schemas/cause.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/function.h"
#include "vmm/vdev/vdev.h"

enum { PANICKED = 1 << 0, CRASH_LOADED = 1 << 1, EVENTS = PANICKED | CRASH_LOADED };
enum { DETAIL = 96, BAR_BYTES = PCI_BAR_LEAST };

struct pvpanic {
	struct pci_function function; /* of pvpanic-pci */
	bool only_logs;
	uint8_t logged; /* events that are in the log: a guest may write them for ever */
};

static uint64_t pvpanic_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	(void)d;
	(void)region;
	(void)width;
	return offset == 0 ? EVENTS : 0;
}

static void tell(struct vdev *d, unsigned event, const char *what)
{
	struct pvpanic *p = d->state;

	if (p->logged & event)
		return;
	p->logged |= (uint8_t)event;
	vdev_warn(d, "%s: the guest %s", d->name, what);
}

static void pvpanic_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
			  uint64_t value)
{
	const struct pvpanic *p = d->state;
	char detail[DETAIL];

	(void)region;
	(void)width;
	if (offset != 0)
		return;
	if (value & CRASH_LOADED)
		tell(d, CRASH_LOADED, "has panicked and starts its crash kernel");
	if (!(value & PANICKED))
		return;
	tell(d, PANICKED,
	     p->only_logs ? "has panicked; `action log` leaves it at that" : "has panicked");
	if (p->only_logs)
		return;
	snprintf(detail, sizeof detail, "%s was told", d->name);
	machine_end_by(d->machine, CAUSE_GUEST_PANIC, 0, detail);
}

static int set_action(struct vdev *d, const char *value, struct err *e)
{
	struct pvpanic *p = d->state;

	p->only_logs = !strcmp(value, "log");
	if (p->only_logs || !strcmp(value, "terminate"))
		return 0;
	return err_set(e, CONFIG,
		       "'%.64s' is nothing that a panic can do: write `action terminate` or "
		       "`action log`",
		       value);
}

static int pci_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	struct pvpanic *p = d->state;

	(void)m;
	(void)e;
	pci_function_init(&p->function, d,
			  &(struct pci_id){.vendor = 0x1b36, .device = 0x0011, .class = 0x088000});
	pci_function_enliven(&p->function);
	pci_function_set(&p->function, PCI_INTERRUPT_PIN, 1, 0); /* it never interrupts */
	pci_function_add_bar(&p->function, 0, BAR_BYTES);
	d->pci = &p->function;
	return 0;
}

static const struct vdev_option options[] = {
	{"action", "log|terminate",
	 "what a panic of the guest does: only a line in the log, or the end of the VM (default)",
	 set_action},
	{NULL},
};

static const struct vdev_class pvpanic = {
	.name = "pvpanic",
	.summary = "the guest tells when it panics, and the VM ends (port 0x505, ACPI QEMU0001)",
	.space = VDEV_IO,
	.widths = VDEV_BYTE,
	.region = {{0x505, 1}},
	.intr = -1,
	.state_bytes = sizeof(struct pvpanic),
	.options = options,
	.read = pvpanic_read,
	.write = pvpanic_write,
};
VDEV_REGISTER(pvpanic);

static const struct vdev_class pvpanic_pci = {
	.name = "pvpanic-pci",
	.summary = "the same as a PCI function",
	.is_pci = true,
	.widths = VDEV_BYTE,
	.intr = -1,
	.state_bytes = sizeof(struct pvpanic),
	.options = options,
	.assemble = pci_assemble,
	.read = pvpanic_read,
	.write = pvpanic_write,
};
VDEV_REGISTER(pvpanic_pci);
