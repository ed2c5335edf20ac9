/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine.c - the services of vmm/machine/machine.h for targets that have vdevs and no machine. All are
 * weak: a target has those of its own that it looks at, memory above all. A new service is one more here.
 */
#include <stdlib.h>

#include "base/blackbox.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/vdev.h"

#define SERVICE __attribute__((weak))

enum { LINES = 24 };

SERVICE void machine_interrupt(struct machine *m, struct vdev *d, bool level)
{
	(void)m, (void)level;
	if (d->intr < 0)
		abort(); /* it has no line */
}

SERVICE void machine_line(struct machine *m, struct vdev *d, int line, bool level)
{
	(void)m, (void)d, (void)level;
	if (line < 0 || line >= LINES)
		abort();
}

SERVICE void machine_alarm(struct machine *m, struct vdev *d, uint64_t at_ns)
{
	(void)m;
	if (!d->class->alarm)
		abort(); /* nothing would ring */
	d->alarm_ns = at_ns;
}

SERVICE void machine_message(struct machine *m, struct vdev *d, uint64_t address, uint32_t data)
{
	(void)m, (void)d, (void)address, (void)data;
}

SERVICE void machine_doorbell(struct machine *m, uint64_t gpa, const uint32_t *value, int fd,
			      bool is_on)
{
	(void)m, (void)gpa, (void)value, (void)is_on;
	if (fd < 0)
		abort();
}

SERVICE struct vdev *machine_vdev(struct machine *m, unsigned i)
{
	(void)m, (void)i;
	return NULL; /* a bus with nobody on it */
}

SERVICE void machine_end_by(struct machine *m, enum cause cause, uint32_t exit_code,
			    const char *detail)
{
	(void)m, (void)cause, (void)exit_code, (void)detail;
	abort(); /* a driver breaks its device, never the machine */
}

SERVICE void machine_dump(struct machine *m)
{
	(void)m;
}

SERVICE void machine_sign(struct machine *m)
{
	(void)m;
}

SERVICE void *machine_memory(struct machine *m, uint64_t gpa, uint64_t bytes)
{
	(void)m, (void)gpa, (void)bytes;
	return NULL;
}

SERVICE void *machine_ram(struct machine *m, uint64_t gpa, uint64_t bytes)
{
	return machine_memory(m, gpa, bytes);
}

SERVICE uint64_t machine_ram_from(struct machine *m, uint64_t gpa)
{
	(void)m, (void)gpa;
	return 0;
}

SERVICE bool machine_ram_range(struct machine *m, unsigned i, struct machine_range *ret)
{
	(void)m, (void)i, (void)ret;
	return false;
}

SERVICE unsigned machine_cpus(const struct machine *m)
{
	(void)m;
	return 1;
}

SERVICE unsigned machine_slot(struct machine *m)
{
	(void)m;
	return 0;
}

SERVICE int machine_place(struct machine *m, unsigned slot, uint64_t gpa, uint64_t bytes,
			  void *host, bool is_writable, struct err *e)
{
	(void)m, (void)slot, (void)gpa, (void)bytes, (void)host, (void)is_writable, (void)e;
	return 0;
}

SERVICE void machine_console(struct machine *m, const char *bytes, size_t n)
{
	(void)m, (void)bytes, (void)n;
}

SERVICE struct blackbox_vdev *machine_counters(struct machine *m, const struct vdev *d)
{
	static struct blackbox_vdev counters;

	(void)m, (void)d;
	return &counters;
}

SERVICE const char *machine_name(const struct machine *m)
{
	(void)m;
	return "fuzz";
}

SERVICE int machine_vm_fd(const struct machine *m)
{
	(void)m;
	return -1;
}
