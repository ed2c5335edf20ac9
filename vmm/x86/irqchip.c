/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/irqchip.h"

#include <string.h>

#include "base/auto.h"
#include "vmm/conf/board.h"
#include "vmm/machine/kvm.h"
#include "vmm/machine/space.h"
#include "vmm/vdev/vdev.h"

enum { XAPIC_CPUS = 255 }; /* ids 0 to 254 */
/* Three pages for the task state segment of VMX's virtual-8086 mode, one for its identity map. */
enum { TSS_BYTES = 0x3000, IDENTITY_BYTES = 0x1000, PRIVATE_BYTES = TSS_BYTES + IDENTITY_BYTES };

/* Places in the kernel; the local APIC's is that of reset (IA32_APIC_BASE may move it). */
static const struct {
	struct space_region region;
	bool is_port, needs_whole;
} kernel[] = {
	{{0xfee00000, 0xfee00fff, SPACE_KERNEL, "apic", NULL, 0}, false, false},
	{{0xfec00000, 0xfec000ff, SPACE_KERNEL, "ioapic", NULL, 0}, false, true},
	{{0x20, 0x21, SPACE_KERNEL, "8259", NULL, 0}, true, true},
	{{0xa0, 0xa1, SPACE_KERNEL, "8259", NULL, 0}, true, true},
	{{0x4d0, 0x4d1, SPACE_KERNEL, "8259", NULL, 0}, true, true},
};

static bool has_timer(const struct board *b)
{
	for (unsigned i = 0; i < b->n_vdevs; i++)
		if (!strcmp(b->vdev[i]->class->name, "timer8254"))
			return true;
	return false;
}

bool irqchip_is_whole(const struct board *b)
{
	for (unsigned i = 0; i < b->n_vdevs; i++)
		if (b->vdev[i]->class->is_irqchip)
			return true;
	return false;
}

bool irqchip_takes(uint64_t first, uint64_t last, bool is_port)
{
	for (size_t i = 0; i < NELEMS(kernel); i++)
		if (kernel[i].needs_whole && kernel[i].is_port == is_port &&
		    kernel[i].region.base <= last && first <= kernel[i].region.last)
			return true;
	return false;
}

/* KVM's own pages, below 4 GiB: from under the usual BIOS ROM downwards. */
static int place_private(int vm_fd, struct space *memory, struct err *e)
{
	uint64_t at = 0xfffbc000, identity;
	struct space_region r = {.kind = SPACE_KERNEL, .name = "kvm-private"};

	while (at && !space_is_free(memory, at, PRIVATE_BYTES))
		at -= PRIVATE_BYTES;
	if (at == 0)
		return err_set(e, START,
			       "KVM needs 16 KiB of addresses below 4 GiB where the "
			       "board has nothing: leave a gap between `ram` and `rom`");
	identity = at + TSS_BYTES;
	r.base = at;
	r.last = at + PRIVATE_BYTES - 1;
	if (kvm_call(vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity, "place its identity map", e) <
		    0 ||
	    kvm_call(vm_fd, KVM_SET_TSS_ADDR, (void *)(uintptr_t)at, "place its task state segment",
		     e) < 0)
		return -1;
	return space_add(memory, &r, e);
}

/* KVM's 8259 pair wakes up unmasked, with vectors 0 to 7 and LINT0 open to it: the first line to rise
 * would be an exception to a guest that only uses its APICs. A firmware leaves them masked. */
static int mask_8259(int vm_fd, struct err *e)
{
	for (unsigned i = KVM_IRQCHIP_PIC_MASTER; i <= KVM_IRQCHIP_PIC_SLAVE; i++) {
		struct kvm_irqchip chip = {.chip_id = i};

		if (kvm_call(vm_fd, KVM_GET_IRQCHIP, &chip, "show its 8259", e) < 0)
			return -1;
		chip.chip.pic.imr = 0xff;
		if (kvm_call(vm_fd, KVM_SET_IRQCHIP, &chip, "mask its 8259", e) < 0)
			return -1;
	}
	return 0;
}

/* KVM's format of messages and ids has room for 8 bits, of which 255 means everybody, unless it is told
 * otherwise (section 7.7): a start-up message to vCPU 255 would restart all. */
static int number_in_32_bits(int vm_fd, struct err *e)
{
	uint64_t flags = KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;

	return kvm_enable(vm_fd, KVM_CAP_X2APIC_API, flags,
			  "number vCPUs beyond 254: give the board at most 255", e) < 0
		       ? -1
		       : 0;
}

int irqchip_create(const struct board *b, int vm_fd, struct space *memory, struct err *e)
{
	/* The speaker's port 0x61 gates PIT channel 2, by which guests calibrate their clocks. */
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};

	if (place_private(vm_fd, memory, e) < 0)
		return -1;
	if (b->n_cpus > XAPIC_CPUS && number_in_32_bits(vm_fd, e) < 0)
		return -1;
	if (!irqchip_is_whole(b))
		return kvm_enable(vm_fd, KVM_CAP_SPLIT_IRQCHIP, 0, "make local APICs", e) < 0 ? -1
											      : 0;
	if (kvm_call(vm_fd, KVM_CREATE_IRQCHIP, NULL, "make its interrupt controllers", e) < 0 ||
	    mask_8259(vm_fd, e) < 0)
		return -1;
	if (has_timer(b) && kvm_call(vm_fd, KVM_CREATE_PIT2, &pit, "make its timer", e) < 0)
		return -1;
	return 0;
}

int irqchip_fill(const struct board *b, struct space *memory, struct space *port, struct err *e)
{
	for (size_t i = 0; i < NELEMS(kernel); i++) {
		if (kernel[i].needs_whole && !irqchip_is_whole(b))
			continue;
		if (space_fill(kernel[i].is_port ? port : memory, &kernel[i].region, e) < 0)
			return -1;
	}
	/* Port 0x61 comes with KVM_PIT_SPEAKER_DUMMY, whatever the class of the timer says. */
	if (has_timer(b))
		return space_fill(
			port,
			&(struct space_region){0x61, 0x61, SPACE_KERNEL, "timer8254", NULL, 0}, e);
	return 0;
}
