/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupt lines that are held for devices of the host. */
#include <linux/kvm.h>

#include "vmm/machine/inside.h"
#include "vmm/machine/kvm.h"
#include "vmm/machine/machine.h"

bool machine_has_lines(const struct machine *m)
{
	return m->has_lines;
}

int machine_hold_line(struct machine *m, const struct machine_held *h, bool is_on, struct err *e)
{
	/* Section 4.75. */
	struct kvm_irqfd to = {.fd = (uint32_t)h->raise,
			       .gsi = (uint32_t)h->line,
			       .flags = is_on ? KVM_IRQFD_FLAG_RESAMPLE : KVM_IRQFD_FLAG_DEASSIGN,
			       .resamplefd = (uint32_t)h->served};

	return kvm_call(m->vm_fd, KVM_IRQFD, &to, "hold an interrupt line for a device", e) < 0 ? -1
												: 0;
}
