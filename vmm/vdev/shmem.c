/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shmem - memory that guests share, by the interface of the original's public header guest_shm.h: a
 * factory page, by which a guest creates regions and attaches to them by name, and for each region that
 * it has a control page (who is there, who has notified) with the region's pages behind it. All clients
 * of a region are peers.
 *
 * On the PCI bus the factory page is BAR 0, and the regions lie in a window that is BAR 2: where a
 * region is (`shmem` of the factory page) is in a resource of the device. With `loc mem:` and `intr` the
 * window follows the factory page. The interrupt is INTA, or the one message of MSI-X, or the line: it is
 * raised when a region's status changes, somebody's coming and going too, until that status is read.
 *
 * The regions themselves are kept by a process of their own (vmm/shmem/server.h). Not there: dumps do not
 * hold them.
 */
#include "vmm/shmem/device.h"

#include <inttypes.h>
#include <linux/kvm.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/blackbox.h"
#include "base/str.h"
#include "schemas/message.h"
#include "vmm/conf/number.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/slot.h"
#include "vmm/vdev/vdev.h"

enum { BAR_FACTORY, BAR_MSIX, BAR_WINDOW };
enum { WINDOW_LEAST = 1 << 20, WINDOW_USUAL = 16 << 20, WINDOW_MOST = 64 << 20 };

/* --- where it is, and its interrupt --- */

uint64_t shmem_window_base(const struct vdev *d)
{
	const struct shmem *s = d->state;

	return vdev_is_function(d) ? pci_function_bar(&s->function, BAR_WINDOW)
				   : d->region[0].base + SHMEM_PAGE;
}

uint32_t shmem_vector(const struct vdev *d)
{
	return (uint32_t)(vdev_is_function(d) ? pci_slot_line(pci_slot_device(d->slot), 0)
					      : d->intr);
}

void shmem_drive(struct vdev *d)
{
	struct shmem *s = d->state;
	bool level = false;

	for (unsigned i = 0; i < SHMEM_CONNECTIONS; i++)
		level = level || s->connection[i].is_told;
	if (vdev_is_function(d)) {
		pci_function_interrupt(&s->function, level && !pci_msix_is_on(&s->msix));
	} else if (level != s->has_line) {
		s->has_line = level;
		machine_interrupt(d->machine, d, level);
	}
}

/* The bell's: see bell.h. */
static unsigned look(struct vdev *d, _Atomic uint32_t **ret_word)
{
	struct shmem *s = d->state;
	bool is_new = false;
	unsigned n = 0;

	for (unsigned i = 0; i < SHMEM_CONNECTIONS; i++) {
		struct shmem_connection *c = &s->connection[i];
		_Atomic uint32_t *news;

		if (!c->share.head || c->is_told)
			continue;
		news = &c->share.head->client[c->share.number].news;
		if (atomic_load(news) == 0)
			ret_word[n++] = news;
		else
			c->is_told = is_new = true;
	}
	if (is_new && vdev_is_function(d))
		pci_msix_raise(&s->msix, 0);
	if (is_new)
		shmem_drive(d);
	return n;
}

static void placed(struct pci_function *f, unsigned bar, uint64_t at)
{
	(void)bar;
	window_move(f->vdev, at);
}

static void after_write(struct pci_function *f, unsigned offset, unsigned width)
{
	struct shmem *s = f->vdev->state;

	(void)offset;
	(void)width;
	pci_msix_update(&s->msix);
	shmem_drive(f->vdev); /* MSI-X may be on now, or off */
}

static uint64_t shmem_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	struct shmem *s = d->state;

	if (!vdev_is_function(d))
		return offset < SHMEM_PAGE ? shmem_read_factory(d, offset, width)
					   : shmem_read_window(d, offset - SHMEM_PAGE, width);
	switch (region) {
	case BAR_FACTORY: return shmem_read_factory(d, offset, width);
	case BAR_MSIX: return pci_msix_read(&s->msix, offset, width);
	default: return shmem_read_window(d, offset, width);
	}
}

static void shmem_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
			uint64_t value)
{
	struct shmem *s = d->state;

	if (!vdev_is_function(d)) {
		if (offset < SHMEM_PAGE)
			shmem_write_factory(d, offset, width, value);
		else
			shmem_write_window(d, offset - SHMEM_PAGE, width, value);
		return;
	}
	switch (region) {
	case BAR_FACTORY: shmem_write_factory(d, offset, width, value); break;
	case BAR_MSIX: pci_msix_write(&s->msix, offset, width, value); break;
	default: shmem_write_window(d, offset, width, value);
	}
}

/* --- options --- */

static int add_rule(struct vdev *d, char sign, const char *pattern, struct err *e)
{
	struct shmem *s = d->state;
	size_t n = s->n_rules, room = sizeof s->rules - n;
	int bytes = snprintf(s->rules + n, room, "/%c%s", sign, pattern);

	if (bytes < 0 || (size_t)bytes >= room)
		return err_set(e, CONFIG, "the patterns of one shmem take over %d bytes",
			       SHMEM_RULES - 1);
	if (strchr(pattern, '/') || !shmem_are_rules(s->rules + n))
		return err_set(e, CONFIG,
			       "'%.40s' is no pattern for names of regions: 1 to %d printable "
			       "bytes without '/', at most %d '*'",
			       pattern, SHMEM_NAME - 1, SHMEM_STARS);
	s->n_rules += (size_t)bytes;
	return 0;
}

static int set_allow(struct vdev *d, const char *value, struct err *e)
{
	return add_rule(d, '+', value, e);
}

static int set_deny(struct vdev *d, const char *value, struct err *e)
{
	return add_rule(d, '-', value, e);
}

static int set_create(struct vdev *d, const char *value, struct err *e)
{
	struct shmem *s = d->state;
	const char *comma = strrchr(value, ',');
	char name[SHMEM_NAME] = "";
	uint64_t bytes = 0;

	if (s->n_creates == SHMEM_CREATES)
		return err_set(e, CONFIG, "one shmem creates at most %d regions", SHMEM_CREATES);
	if (!comma)
		return err_set(e, CONFIG, "'%.80s' has no size: write `create NAME,SIZE`", value);
	if (comma - value < SHMEM_NAME)
		str_copy(name, (size_t)(comma - value) + 1, value);
	if (!shmem_is_name(name))
		return err_set(e, CONFIG,
			       "'%.40s' begins with no name of a region: 1 to %d printable bytes "
			       "without '/'",
			       value, SHMEM_NAME - 1);
	if (number_size(comma + 1, strlen(comma + 1), &bytes, e) < 0)
		return -1;
	if (bytes == 0 || bytes % SHMEM_PAGE || bytes > WINDOW_MOST)
		return err_set(e, CONFIG,
			       "region '%s' of %" PRIu64 " bytes: it has whole pages of %d bytes, "
			       "at most 64M",
			       name, bytes, SHMEM_PAGE);
	for (unsigned i = 0; i < s->n_creates; i++)
		if (!strcmp(s->create[i].name, name) && s->create[i].pages != bytes / SHMEM_PAGE)
			return err_set(e, CONFIG,
				       "region '%s' of %" PRIu64 " bytes: the same shmem creates "
				       "it with %" PRIu64,
				       name, bytes, (uint64_t)s->create[i].pages * SHMEM_PAGE);
	str_copy(s->create[s->n_creates].name, SHMEM_NAME, name);
	s->create[s->n_creates++].pages = (uint32_t)(bytes / SHMEM_PAGE);
	return 0;
}

static int set_window(struct vdev *d, const char *value, struct err *e)
{
	struct shmem *s = d->state;
	uint64_t bytes = 0;

	if (number_size(value, strlen(value), &bytes, e) < 0)
		return -1;
	if (bytes < WINDOW_LEAST || bytes > WINDOW_MOST || (bytes & (bytes - 1)))
		return err_set(e, CONFIG,
			       "a window of %" PRIu64 " bytes: write 1M, 2M, 4M, 8M, 16M, 32M or "
			       "64M",
			       bytes);
	s->window_bytes = bytes;
	return 0;
}

static void shmem_init(struct vdev *d)
{
	struct shmem *s = d->state;

	s->window_bytes = WINDOW_USUAL;
}

static int check_place(struct vdev *d, struct err *e)
{
	const struct shmem *s = d->state;

	if (vdev_is_function(d))
		return 0;
	if (d->region[0].base % SHMEM_PAGE)
		return err_set(
			e, CONFIG,
			"shmem begins at a page of memory addresses: write `loc mem:0x%" PRIx64 "`",
			d->region[0].base & ~(uint64_t)(SHMEM_PAGE - 1));
	d->region[0].bytes = SHMEM_PAGE + s->window_bytes;
	return 0;
}

static int shmem_check(struct vdev *d, struct err *e)
{
	struct shmem *s = d->state;

	if (s->n_rules == 0)
		str_copy(s->rules, sizeof s->rules, "/");
	for (unsigned i = 0; i < s->n_creates; i++)
		if (!shmem_may(s->rules, s->create[i].name))
			return err_set(e, CONFIG,
				       "`create %s` is not among the names that the same shmem "
				       "allows: add `allow %s`, or remove it",
				       s->create[i].name, s->create[i].name);
	return check_place(d, e) < 0 ? -1 : vdev_want(d, WANT_SHMEM, s->rules, e);
}

/* --- its life --- */

static int create_all(struct vdev *d, struct err *e)
{
	static const char *const why[SHMEM_STATUSES] = {
		[SHMEM_FAILURE] = "the server of shared memory does not answer",
		[SHMEM_NO_MEMORY] =
			"a VM's 64M, `shmem-budget` of qvmd.conf or the host's memory is used up",
		[SHMEM_FULL] = "it has all its clients",
		[SHMEM_BAD_NAME] = "that is no name",
		[SHMEM_DENIED] = "its name is not allowed",
		[SHMEM_NOT_THERE] = "it is not there",
	};
	struct shmem *s = d->state;

	for (unsigned i = 0; i < s->n_creates; i++) {
		const char *name = s->create[i].name;
		uint32_t wanted = s->create[i].pages, pages = wanted;
		enum shmem_status status = shmem_client_create(&s->client, name, wanted, &pages);

		if (status != SHMEM_OK)
			return err_set(e, START, "create region '%s' of %u pages: %s", name, wanted,
				       why[status]);
		if (pages != wanted)
			return err_set(e, START,
				       "create region '%s' of %u pages: another VM has made it, "
				       "with %u: give it the same size in both",
				       name, wanted, pages);
	}
	return 0;
}

static void assemble_function(struct vdev *d)
{
	struct shmem *s = d->state;
	struct pci_function *f = &s->function;

	/* As a controller of memory: PCI Code and ID Assignment 1.11, class 05. */
	pci_function_init(f, d,
			  &(struct pci_id){.vendor = 0x1c05,
					   .device = 0x0001,
					   .subvendor = 0x1c05,
					   .subdevice = 0x0001,
					   .class = 0x058000});
	pci_function_enliven(f);
	pci_function_add_bar(f, BAR_FACTORY, SHMEM_PAGE);
	pci_msix_init(&s->msix, f, BAR_MSIX, 1);
	pci_function_add_bar(f, BAR_WINDOW, (uint32_t)s->window_bytes);
	f->watched_bars = 1u << BAR_WINDOW;
	f->placed = placed;
	f->after_write = after_write;
	d->pci = f;
}

static int shmem_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	struct shmem *s = d->state;

	if (shmem_client_open(&s->client, d->want[0].fd, e) < 0 || create_all(d, e) < 0)
		return -1;
	for (unsigned i = 0; i < SHMEM_CONNECTIONS; i++)
		s->connection[i].slot = machine_slot(m);
	if (vdev_is_function(d))
		assemble_function(d);
	else
		s->window_at = shmem_window_base(d);
	return bell_spawn(&s->bell, d, look, e);
}

static void shmem_stop(struct vdev *d)
{
	struct shmem *s = d->state;

	bell_stop(&s->bell);
}

static void shmem_destroy(struct vdev *d)
{
	struct shmem *s = d->state;

	bell_stop(&s->bell);
	for (unsigned i = 0; i < SHMEM_CONNECTIONS; i++)
		shmem_share_unmap(&s->connection[i].share);
}

static void shmem_status(struct vdev *d, char *text, size_t cap)
{
	const struct shmem *s = d->state;
	size_t n = 0;

	for (unsigned i = 0; i < SHMEM_CONNECTIONS; i++) {
		const struct shmem_connection *c = &s->connection[i];

		if (c->share.head)
			str_add(text, cap, &n, "%s%s: %u pages, client %u of 0x%x", n ? "; " : "",
				c->name, c->share.pages, c->share.number,
				atomic_load(&c->share.head->clients));
	}
	if (n == 0)
		str_add(text, cap, &n, "no region");
}

static const struct vdev_option options[] = {
	{"allow", "PATTERN",
	 "names of regions that the guest may have; repeatable, others are denied", set_allow},
	{"deny", "PATTERN",
	 "names that it may not have; the first pattern that matches decides, in the order given",
	 set_deny},
	{"create", "NAME,SIZE", "a region that is there from the start; repeatable", set_create},
	{"window", "SIZE", "room for all regions of the guest at once; 16M if not given",
	 set_window},
	{NULL},
};

static const struct sandbox_allow syscalls[] = {
	SANDBOX_CALL(futex_waitv),
	SANDBOX_CALL(recvmsg),
	SANDBOX_IOCTL(KVM_SET_USER_MEMORY_REGION), /* regions, and a window that the guest moves */
	SANDBOX_END,
};

static const struct vdev_class shmem = {
	.name = "shmem",
	.summary = "memory that guests share, by name",
	.is_pci = true,
	.mmio_bytes = SHMEM_PAGE + WINDOW_USUAL,
	.widths = VDEV_BYTE | VDEV_WORD | VDEV_DWORD | VDEV_QWORD,
	.intr = -1,
	.n_rows = SHMEM_CONNECTIONS,
	.state_bytes = sizeof(struct shmem),
	.options = options,
	.init = shmem_init,
	.check = shmem_check,
	.assemble = shmem_assemble,
	.stop = shmem_stop,
	.read = shmem_read,
	.write = shmem_write,
	.status = shmem_status,
	.destroy = shmem_destroy,
	.syscalls = syscalls,
};
VDEV_REGISTER(shmem);
