/* SPDX-License-Identifier: Apache-2.0 */
/* service.c - what a machine does for its vdevs: interrupts, time, memory, doorbells, its end. */
#include <sys/ioctl.h>

#include "base/str.h"
#include "vmm/conf/board.h"
#include "vmm/machine/inside.h"
#include "vmm/machine/kvm.h"
#include "vmm/vdev/vdev.h"

void machine_interrupt(struct machine *m, struct vdev *d, bool level)
{
	if (d->intr >= 0)
		machine_line(m, d, d->intr, level);
}

void machine_line(struct machine *m, struct vdev *d, int line, bool level)
{
	struct kvm_irq_level irq = {.irq = (uint32_t)line, .level = level};
	struct err e;

	/* Implicit vdevs have a line that leads nowhere on a board without a PIC. */
	if (!m->has_lines)
		return;
	/* Section 4.25. */
	if (kvm_call(m->vm_fd, KVM_IRQ_LINE, &irq, "drive an interrupt line", &e) < 0) {
		struct machine_end how = {.cause = CAUSE_VDEV_ERROR, .err = e};

		str_copy(how.detail, sizeof how.detail, d->name);
		end_now(&m->end, &how);
	} else if (level) {
		atomic_fetch_add_explicit(&machine_counters(m, d)->interrupts, 1,
					  memory_order_relaxed);
	}
}

void machine_alarm(struct machine *m, struct vdev *d, uint64_t at_ns)
{
	struct machine_end how = {.cause = CAUSE_VDEV_ERROR};

	atomic_store_explicit(&machine_counters(m, d)->deadline_ns, at_ns, memory_order_relaxed);
	if (alarm_set(&m->alarm, d, at_ns, &how.err) == 0)
		return;
	str_copy(how.detail, sizeof how.detail, d->name);
	end_now(&m->end, &how);
}

void machine_message(struct machine *m, struct vdev *d, uint64_t address, uint32_t data)
{
	struct kvm_msi msi = {.address_lo = (uint32_t)address, .data = data};

	/* Intel SDM volume 3, 11.11.1: where local APICs listen. */
	if (address >> 20 != 0xfee)
		return;
	/* Section 4.70. 0: no local APIC wants it, or the guest wrote nonsense: its own affair. */
	if (ioctl(m->vm_fd, KVM_SIGNAL_MSI, &msi) > 0)
		atomic_fetch_add_explicit(&machine_counters(m, d)->interrupts, 1,
					  memory_order_relaxed);
}

void machine_doorbell(struct machine *m, uint64_t gpa, const uint32_t *value, int fd, bool is_on)
{
	/* Section 4.59; a length of 0 is any (KVM_CAP_IOEVENTFD_ANY_LENGTH), and saves KVM the look at
	 * the instruction. */
	struct kvm_ioeventfd bell = {
		.addr = gpa,
		.len = value ? sizeof *value : 0,
		.datamatch = value ? *value : 0,
		.fd = fd,
		.flags = (value ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0) |
			 (is_on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
	};

	/* Refused: its table is full, or nothing was there. Both leave the exit, which does the same. */
	(void)ioctl(m->vm_fd, KVM_IOEVENTFD, &bell);
}

struct vdev *machine_vdev(struct machine *m, unsigned i)
{
	return i < m->board->n_vdevs ? m->board->vdev[i] : NULL;
}

/* The vCPU whose thread is asking; 0 for any other thread. */
static unsigned caller(const struct machine *m)
{
	for (unsigned i = 0; i < m->n_vcpus; i++)
		if (m->vcpu[i].has_thread && pthread_equal(m->vcpu[i].thread, pthread_self()))
			return i;
	return 0;
}

void machine_end_by(struct machine *m, enum cause cause, uint32_t exit_code, const char *detail)
{
	struct machine_end how = {.cause = cause, .exit_code = exit_code, .vcpu = caller(m)};

	str_copy(how.detail, sizeof how.detail, detail);
	end_now(&m->end, &how);
}

void machine_dump(struct machine *m)
{
	atomic_store(&m->box->box->wants_dump, 1);
}

void *machine_memory(struct machine *m, uint64_t gpa, uint64_t bytes)
{
	return memory_at(&m->memory, gpa, bytes);
}

void *machine_ram(struct machine *m, uint64_t gpa, uint64_t bytes)
{
	const struct memory_range *r = memory_range_of(&m->memory, gpa);

	return r && !r->is_rom ? memory_at(&m->memory, gpa, bytes) : NULL;
}

uint64_t machine_ram_from(struct machine *m, uint64_t gpa)
{
	const struct memory_range *r = memory_range_of(&m->memory, gpa);

	return r && !r->is_rom ? r->bytes - (gpa - r->gpa) : 0;
}

unsigned machine_cpus(const struct machine *m)
{
	return m->board->n_cpus;
}

unsigned machine_slot(struct machine *m)
{
	return memory_slot(&m->memory);
}

int machine_place(struct machine *m, unsigned slot, uint64_t gpa, uint64_t bytes, void *host,
		  bool is_writable, struct err *e)
{
	return memory_place(m->vm_fd, slot, gpa, bytes, host, is_writable, e);
}

bool machine_ram_range(struct machine *m, unsigned i, struct machine_range *ret)
{
	return memory_ram(&m->memory, i, &ret->gpa, &ret->bytes, &ret->host);
}

void machine_console(struct machine *m, const char *bytes, size_t n)
{
	pthread_mutex_lock(&m->console);
	blackbox_console(m->box, bytes, n);
	pthread_mutex_unlock(&m->console);
}

void machine_sign(struct machine *m)
{
	atomic_fetch_add_explicit(&m->box->box->signs, 1, memory_order_relaxed);
}

struct blackbox_vdev *machine_counters(struct machine *m, const struct vdev *d)
{
	return &m->box->vdev[d->index];
}

const char *machine_name(const struct machine *m)
{
	return m->box->box->vm;
}

int machine_vm_fd(const struct machine *m)
{
	return m->vm_fd;
}
