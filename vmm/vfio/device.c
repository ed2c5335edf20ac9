/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vfio/device.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/machine/machine.h"

const struct sandbox_allow vfio_device_syscalls[] = {
	SANDBOX_CALL(pwrite64),
	SANDBOX_IOCTL(VFIO_DEVICE_RESET),
	SANDBOX_IOCTL(VFIO_DEVICE_SET_IRQS),
	SANDBOX_IOCTL(VFIO_IOMMU_UNMAP_DMA),
	SANDBOX_IOCTL(KVM_SET_USER_MEMORY_REGION), /* BARs that the guest moves */
	SANDBOX_IOCTL(KVM_IRQFD),
	SANDBOX_END,
};

static int look_at(struct vfio_device *d, unsigned index, struct vfio_window *w, struct err *e)
{
	struct vfio_region_info info = {.argsz = sizeof info, .index = index};

	if (ioctl(d->fd, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
		return err_sys(e, START, "look at region %u of PCI function '%s'", index, d->name);
	*w = (struct vfio_window){.bytes = info.size,
				  .offset = info.offset,
				  .can_map = info.flags & VFIO_REGION_INFO_FLAG_MMAP};
	return 0;
}

static int reset(const struct vfio_device *d, struct err *e)
{
	if (!d->can_reset || ioctl(d->fd, VFIO_DEVICE_RESET) == 0)
		return 0;
	return err_sys(e, START, "reset PCI function '%s'", d->name);
}

int vfio_device_open(struct vfio_device *d, const char *name, int container_fd, int fd,
		     struct err *e)
{
	struct vfio_device_info info = {.argsz = sizeof info};

	*d = (struct vfio_device){.name = name, .container_fd = container_fd, .fd = fd};
	if (ioctl(fd, VFIO_DEVICE_GET_INFO, &info) < 0)
		return err_sys(e, START, "look at PCI function '%s'", name);
	if (!(info.flags & VFIO_DEVICE_FLAGS_PCI) ||
	    info.num_regions <= VFIO_PCI_CONFIG_REGION_INDEX)
		return err_set(e, START, "what was granted as PCI function '%s' is none", name);
	d->can_reset = info.flags & VFIO_DEVICE_FLAGS_RESET;
	for (unsigned n = 0; n < PCI_BARS; n++)
		if (look_at(d, VFIO_PCI_BAR0_REGION_INDEX + n, &d->bar[n], e) < 0)
			return -1;
	if (look_at(d, VFIO_PCI_CONFIG_REGION_INDEX, &d->config, e) < 0)
		return -1;
	if (d->config.bytes < PCI_CONFIG)
		return err_set(e, START,
			       "PCI function '%s' shows %" PRIu64
			       " bytes of configuration, %d are the least",
			       name, d->config.bytes, PCI_CONFIG);
	return reset(d, e);
}

/* Whoever uses it next finds it as we did, also if we are killed: the kernel does the same then. */
void vfio_device_close(struct vfio_device *d, struct machine *m)
{
	struct machine_range r;
	struct err ignored;

	if (!d->name)
		return;
	vfio_device_write(d, &d->config, PCI_COMMAND, 2, 0);
	(void)reset(d, &ignored);
	for (unsigned i = 0; i < d->n_mapped && machine_ram_range(m, i, &r); i++) {
		struct vfio_iommu_type1_dma_unmap un = {
			.argsz = sizeof un, .iova = r.gpa, .size = r.bytes};

		(void)ioctl(d->container_fd, VFIO_IOMMU_UNMAP_DMA, &un);
	}
	d->n_mapped = 0;
	d->name = NULL;
}

int vfio_device_map_ram(struct vfio_device *d, struct machine *m, struct err *e)
{
	struct machine_range r;

	for (; machine_ram_range(m, d->n_mapped, &r); d->n_mapped++) {
		struct vfio_iommu_type1_dma_map map = {.argsz = sizeof map,
						       .flags = VFIO_DMA_MAP_FLAG_READ |
								VFIO_DMA_MAP_FLAG_WRITE,
						       .vaddr = (uintptr_t)r.host,
						       .iova = r.gpa,
						       .size = r.bytes};

		if (ioctl(d->container_fd, VFIO_IOMMU_MAP_DMA, &map) == 0)
			continue;
		if (errno == ENOMEM)
			return err_set(
				e, START,
				"lock the guest's 0x%" PRIx64 " bytes at 0x%" PRIx64
				" for PCI function '%s': the limit of locked memory is too "
				"low (`ulimit -l unlimited`, or LimitMEMLOCK= of a service), "
				"or the host has not as much",
				r.bytes, r.gpa, d->name);
		if (errno == EINVAL)
			return err_set(
				e, START,
				"the IOMMU cannot give PCI function '%s' the guest's 0x%" PRIx64
				" bytes at 0x%" PRIx64 ": that address is beyond it, or the "
				"host's own (0xfee00000); move the `ram`",
				d->name, r.bytes, r.gpa);
		return err_sys(e, START, "let PCI function '%s' access the guest's memory",
			       d->name);
	}
	return 0;
}

uint64_t vfio_device_read(const struct vfio_device *d, const struct vfio_window *w, uint64_t offset,
			  unsigned width)
{
	uint64_t value = 0;

	if (pread(d->fd, &value, width, (off_t)(w->offset + offset)) != (ssize_t)width)
		return width == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * width) - 1;
	return value;
}

void vfio_device_write(const struct vfio_device *d, const struct vfio_window *w, uint64_t offset,
		       unsigned width, uint64_t value)
{
	/* 3.2.2.3.4: a write that nobody takes is dropped. */
	(void)!pwrite(d->fd, &value, width, (off_t)(w->offset + offset));
}

int vfio_device_interrupts(const struct vfio_device *d, unsigned kind, const int *fds, unsigned n,
			   struct err *e)
{
	union {
		struct vfio_irq_set set;
		uint8_t bytes[sizeof(struct vfio_irq_set) + VFIO_DEVICE_VECTORS * sizeof *fds];
	} to = {.set = {.argsz = (uint32_t)(sizeof to.set + n * sizeof *fds),
			.flags = VFIO_IRQ_SET_ACTION_TRIGGER |
				 (n ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE),
			.index = kind,
			.count = n}};

	if (n > VFIO_DEVICE_VECTORS)
		return err_set(e, INTERNAL, "%u interrupts of PCI function '%s'", n, d->name);
	if (n)
		memcpy(to.bytes + sizeof to.set, fds, n * sizeof *fds);
	if (ioctl(d->fd, VFIO_DEVICE_SET_IRQS, &to) == 0)
		return 0;
	return err_sys(e, RESOURCE, "switch %u interrupts of PCI function '%s'", n, d->name);
}

void vfio_device_unmask(const struct vfio_device *d)
{
	struct vfio_irq_set to = {.argsz = sizeof to,
				  .flags = VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_DATA_NONE,
				  .index = VFIO_PCI_INTX_IRQ_INDEX,
				  .count = 1};

	/* Not masked is fine. A device that has gone interrupts no more. */
	(void)ioctl(d->fd, VFIO_DEVICE_SET_IRQS, &to);
}
