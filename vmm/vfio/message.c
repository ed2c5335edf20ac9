/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vfio/message.h"

#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/blackbox.h"
#include "vmm/pci/slot.h"
#include "vmm/vdev/vdev.h"
#include "vmm/vfio/shadow.h"

static uint32_t config(const struct vfio_messages *x, unsigned offset, unsigned width)
{
	return pci_function_get(&x->shadow->function, offset, width);
}

static uint32_t msix_flags(const struct vfio_messages *x)
{
	return x->shadow->msix ? config(x, x->shadow->msix + PCI_MSIX_FLAGS, 2) : 0;
}

/* 6.8.3.5: a guest that enables both gets what it must not rely on; here MSI-X. The line is off while a
 * message is on. */
static unsigned chosen(const struct vfio_messages *x)
{
	uint8_t msi = x->shadow->msi;

	if (msix_flags(x) & PCI_MSIX_FLAGS_ENABLE)
		return VFIO_PCI_MSIX_IRQ_INDEX;
	if (msi && (config(x, msi + PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_ENABLE))
		return VFIO_PCI_MSI_IRQ_INDEX;
	if (x->held.line >= 0 && !(config(x, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE))
		return VFIO_PCI_INTX_IRQ_INDEX;
	return VFIO_MESSAGES_OFF;
}

static void send_msi(struct vfio_messages *x)
{
	struct vdev *d = x->shadow->function.vdev;
	uint8_t msi = x->shadow->msi;

	x->is_pending[0] = false;
	machine_message(d->machine, d,
			config(x, msi + PCI_MSI_ADDRESS_LO, 4) |
				(uint64_t)config(x, msi + PCI_MSI_ADDRESS_HI, 4) << 32,
			config(x, msi + PCI_MSI_DATA_64, 2));
}

static void send_msix(struct vfio_messages *x)
{
	struct vdev *d = x->shadow->function.vdev;

	if (msix_flags(x) & PCI_MSIX_FLAGS_MASKALL)
		return;
	for (unsigned v = 0; v < x->shadow->n_vectors; v++) {
		if (!x->is_pending[v] || (x->vector[v].control & PCI_MSIX_ENTRY_CTRL_MASKBIT))
			continue;
		x->is_pending[v] = false;
		machine_message(d->machine, d, x->vector[v].address, x->vector[v].data);
	}
}

static void send_pending(struct vfio_messages *x)
{
	if (x->kind == VFIO_PCI_MSIX_IRQ_INDEX)
		send_msix(x);
	else if (x->kind == VFIO_PCI_MSI_IRQ_INDEX && x->is_pending[0])
		send_msi(x);
}

/* The guest has served its line, for us or for another that is on it. */
static void served(struct vfio_messages *x)
{
	struct vdev *d = x->shadow->function.vdev;

	if (x->kind != VFIO_PCI_INTX_IRQ_INDEX)
		return;
	atomic_fetch_add_explicit(&machine_counters(d->machine, d)->interrupts, 1,
				  memory_order_relaxed);
	vfio_device_unmask(x->device);
}

void vfio_messages_signal(struct vfio_messages *x, int fd)
{
	if (fd == x->held.served) {
		served(x);
		return;
	}
	for (unsigned v = 0; v < x->n_fds && x->kind != VFIO_MESSAGES_OFF; v++)
		if (x->fd[v] == fd)
			x->is_pending[v] = true;
	send_pending(x);
}

static int switch_on(struct vfio_messages *x, unsigned kind, struct err *e)
{
	struct machine *m = x->shadow->function.vdev->machine;

	if (kind == VFIO_PCI_INTX_IRQ_INDEX)
		return machine_hold_line(m, &x->held, true, e) < 0
			       ? -1
			       : vfio_device_interrupts(x->device, kind, &x->held.raise, 1, e);
	return vfio_device_interrupts(x->device, kind, x->fd,
				      kind == VFIO_PCI_MSI_IRQ_INDEX ? 1 : x->shadow->n_vectors, e);
}

static int switch_off(struct vfio_messages *x, unsigned kind, struct err *e)
{
	int r = vfio_device_interrupts(x->device, kind, NULL, 0, e);

	if (kind == VFIO_PCI_INTX_IRQ_INDEX &&
	    machine_hold_line(x->shadow->function.vdev->machine, &x->held, false, e) < 0)
		return -1;
	return r;
}

int vfio_messages_update(struct vfio_messages *x, struct err *e)
{
	unsigned to = chosen(x), was = x->kind;

	if (to != was) {
		x->kind = VFIO_MESSAGES_OFF;
		for (unsigned v = 0; v < VFIO_DEVICE_VECTORS; v++)
			x->is_pending[v] = false;
		if (was != VFIO_MESSAGES_OFF && switch_off(x, was, e) < 0)
			return -1;
		if (to != VFIO_MESSAGES_OFF && switch_on(x, to, e) < 0)
			return -1;
		x->kind = to;
	}
	send_pending(x);
	return 0;
}

static int open_line(struct vfio_messages *x, iothread_ready *ready, struct err *e)
{
	struct vdev *d = x->shadow->function.vdev;

	x->held.raise = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (x->held.raise < 0)
		return err_sys(e, START, "make an eventfd for the line of '%s'", x->device->name);
	if (iothread_bell(&x->thread, ready, &x->held.served, e) < 0)
		return -1;
	x->held.line = pci_slot_line(pci_slot_device(d->slot), 0);
	return 0;
}

int vfio_messages_open(struct vfio_messages *x, const struct vfio_device *d,
		       const struct vfio_shadow *s, iothread_ready *ready, struct err *e)
{
	unsigned n = s->n_vectors ? s->n_vectors : s->msi ? 1 : 0;

	*x = (struct vfio_messages){
		.device = d, .shadow = s, .held = {-1, -1, -1}, .kind = VFIO_MESSAGES_OFF};
	for (unsigned v = 0; v < VFIO_DEVICE_VECTORS; v++)
		x->vector[v].control = PCI_MSIX_ENTRY_CTRL_MASKBIT;
	if (n == 0 && !s->has_line)
		return 0;
	if (iothread_spawn(&x->thread, s->function.vdev, ready, e) < 0)
		return -1;
	for (; x->n_fds < n; x->n_fds++)
		if (iothread_bell(&x->thread, ready, &x->fd[x->n_fds], e) < 0)
			return -1;
	return s->has_line ? open_line(x, ready, e) : 0;
}

void vfio_messages_close(struct vfio_messages *x)
{
	struct err ignored;

	/* The device holds the eventfds by itself until it is told. */
	if (!x->device)
		return;
	if (x->kind != VFIO_MESSAGES_OFF)
		(void)switch_off(x, x->kind, &ignored);
	x->kind = VFIO_MESSAGES_OFF;
	iothread_stop(&x->thread);
	if (x->held.raise >= 0)
		close(x->held.raise);
	*x = (struct vfio_messages){.kind = VFIO_MESSAGES_OFF};
}

uint64_t vfio_messages_read(const struct vfio_messages *x, uint64_t offset, unsigned width)
{
	return pci_msix_read_table(x->vector, x->shadow->n_vectors, offset, width);
}

void vfio_messages_write(struct vfio_messages *x, uint64_t offset, unsigned width, uint64_t value)
{
	if (width < 4 || offset % width)
		return;
	pci_msix_write_table(x->vector, x->shadow->n_vectors, offset, width, value);
	send_pending(x);
}
