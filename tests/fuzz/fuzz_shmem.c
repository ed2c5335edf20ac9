/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_shmem - two hostile guests with a vdev shmem each, and a hostile worker, at one registry. The
 * machine's services, the way to the server and the bell's thread are answered here.
 *
 * Input: steps of 8 bytes: what, offset (2 bytes), width, value (4 bytes); and, as a text, rules.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/function.h"
#include "vmm/shmem/bell.h"
#include "vmm/shmem/client.h"
#include "vmm/shmem/registry.h"
#include "vmm/vdev/vdev.h"

enum { STEP = 8, GUESTS = 2, BUDGET_PAGES = 40 };
enum what { FACTORY, MSIX, WINDOW, CONFIG, NAME, LOOK, MOVE, HOSTILE, WHATS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct machine {
	struct blackbox_vdev counters;
};

static struct registry registry;
static struct registry_link links[GUESTS + 1]; /* the last is the hostile worker's */
static unsigned (*look)(struct vdev *d, _Atomic uint32_t **ret_word);

/* --- the machine --- */

void machine_line(struct machine *m, struct vdev *d, int line, bool level)
{
	(void)m, (void)d, (void)line, (void)level;
}

void machine_interrupt(struct machine *m, struct vdev *d, bool level)
{
	(void)m, (void)d, (void)level;
}

void machine_message(struct machine *m, struct vdev *d, uint64_t address, uint32_t data)
{
	(void)m, (void)d, (void)address, (void)data;
}

unsigned machine_slot(struct machine *m)
{
	(void)m;
	return 0;
}

/* Whole pages of the window, which stay mapped as long as they are there. */
int machine_place(struct machine *m, unsigned slot, uint64_t gpa, uint64_t bytes, void *host,
		  bool is_writable, struct err *e)
{
	(void)m, (void)slot, (void)is_writable, (void)e;
	if (gpa % SHMEM_PAGE || bytes % SHMEM_PAGE || (bytes && !host))
		abort();
	return 0;
}

struct blackbox_vdev *machine_counters(struct machine *m, const struct vdev *d)
{
	(void)d;
	return &m->counters;
}

/* What other devices ask for, and this one has no use of: nobody calls them. */
#define UNUSED(type, name, ...)                                                                    \
	type name(__VA_ARGS__)                                                                     \
	{                                                                                          \
		abort();                                                                           \
	}
#pragma GCC diagnostic ignored "-Wunused-parameter"
UNUSED(void *, machine_memory, struct machine *m, uint64_t gpa, uint64_t bytes)
UNUSED(void *, machine_ram, struct machine *m, uint64_t gpa, uint64_t bytes)
UNUSED(uint64_t, machine_ram_from, struct machine *m, uint64_t gpa)
UNUSED(void, machine_alarm, struct machine *m, struct vdev *d, uint64_t at_ns)
UNUSED(void, machine_doorbell, struct machine *m, uint64_t gpa, const uint32_t *value, int fd,
       bool is_on)
UNUSED(struct vdev *, machine_vdev, struct machine *m, unsigned i)
UNUSED(unsigned, machine_cpus, const struct machine *m)
UNUSED(void, machine_dump, struct machine *m)
UNUSED(void, machine_end_by, struct machine *m, enum cause cause, uint32_t exit_code,
       const char *detail)
UNUSED(bool, machine_ram_range, struct machine *m, unsigned i, struct machine_range *ret)
UNUSED(void, machine_console, struct machine *m, const char *bytes, size_t n)
UNUSED(void, machine_sign, struct machine *m)
UNUSED(const char *, machine_name, const struct machine *m)

/* --- the way to the server: fd 100 + n is the connection of guest n --- */

static struct shmem_answer ask(unsigned who, const struct shmem_request *q, int *ret_fd)
{
	struct shmem_answer a;

	registry_serve(&registry, &links[who], q, &a, ret_fd);
	if (a.status >= SHMEM_STATUSES || registry.used_bytes > registry.budget_bytes ||
	    (*ret_fd >= 0) != (a.status == SHMEM_OK && q->op == SHMEM_ATTACH))
		abort();
	return a;
}

int shmem_client_open(struct shmem_client *c, int fd, struct err *e)
{
	(void)e;
	*c = (struct shmem_client){.fd = fd};
	return 0;
}

enum shmem_status shmem_client_create(struct shmem_client *c, const char *name, uint32_t pages,
				      uint32_t *ret_pages)
{
	(void)c, (void)name, (void)pages, (void)ret_pages;
	abort(); /* nobody has configured one */
}

enum shmem_status shmem_client_attach(struct shmem_client *c, const char *name, uint32_t pages,
				      struct shmem_share *ret)
{
	struct shmem_request q = {.op = SHMEM_ATTACH, .pages = pages};
	struct shmem_answer a;
	int fd;

	str_copy(q.name, sizeof q.name, name);
	a = ask((unsigned)c->fd - 100, &q, &fd);
	if (a.status != SHMEM_OK)
		return (enum shmem_status)a.status;
	ret->head = mmap(NULL, SHMEM_HEAD + (size_t)a.pages * SHMEM_PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED, fd, 0);
	if (ret->head == MAP_FAILED)
		abort();
	ret->pages = a.pages;
	ret->handle = a.handle;
	ret->number = a.number;
	return SHMEM_OK;
}

void shmem_share_unmap(struct shmem_share *s)
{
	if (s->head)
		munmap(s->head, SHMEM_HEAD + (size_t)s->pages * SHMEM_PAGE);
	*s = (struct shmem_share){0};
}

void shmem_client_detach(struct shmem_client *c, struct shmem_share *s)
{
	struct shmem_request q = {.op = SHMEM_LEAVE, .handle = s->handle};
	int fd;

	shmem_share_unmap(s);
	if (ask((unsigned)c->fd - 100, &q, &fd).status != SHMEM_OK)
		abort(); /* it had that */
}

/* --- the bell --- */

int bell_spawn(struct bell *b, struct vdev *d,
	       unsigned (*how)(struct vdev *d, _Atomic uint32_t **ret_word), struct err *e)
{
	(void)e;
	b->vdev = d;
	look = how;
	return 0;
}

void bell_look_again(struct bell *b)
{
	if (!b->vdev)
		abort();
}

void bell_stop(struct bell *b)
{
	b->vdev = NULL;
}

/* --- steps --- */

static struct vdev *guest(unsigned who, struct machine *m)
{
	struct vdev *d = vdev_new(vdev_class_find("shmem"), 1);
	struct err e;

	d->machine = m;
	d->slot = 8;
	if (d->class->check(d, &e) < 0)
		abort();
	d->want[0].fd = 100 + (int)who;
	if (d->class->assemble(d, m, &e) < 0)
		abort();
	return d;
}

static void access_bar(struct vdev *d, unsigned bar, const uint8_t *s)
{
	static const unsigned widths[] = {1, 2, 4, 8};
	unsigned width = widths[s[3] % 4];
	uint64_t offset = s[1] | (uint64_t)s[2] << 8, value = 0, got;

	if (bar == WINDOW) /* the first pages of its regions */
		offset = (uint64_t)s[2] * SHMEM_PAGE + s[1];
	if (offset + width > d->pci->bar_bytes[bar])
		return;
	memcpy(&value, s + 4, 4);
	if (s[3] & 4) {
		d->class->write(d, bar, offset, width, value | value << 32);
		return;
	}
	got = d->class->read(d, bar, offset, width);
	if (width < 8 && got >> (8 * width))
		abort(); /* more than was asked for */
}

static void access_config(struct vdev *d, const uint8_t *s)
{
	unsigned width = 1u << s[3] % 3;
	uint32_t value;

	memcpy(&value, s + 4, sizeof value);
	if (s[1] + width <= PCI_CONFIG)
		pci_function_write(d->pci, s[1], width, value);
}

/* One of few, so that they meet. */
static void set_name(struct vdev *d, const uint8_t *s)
{
	const char name[] = {(char)('a' + s[1] % 3), '\0'};

	for (unsigned i = 0; i < sizeof name; i++)
		d->class->write(d, FACTORY, 28 + i, 1, (uint8_t)name[i]);
	d->class->write(d, FACTORY, 24, 4, s[2] % (BUDGET_PAGES + 2));
}

static void ask_hostile(const uint8_t *s)
{
	struct shmem_request q = {.op = s[1] % 4, .pages = s[2], .handle = s[3] % 40};
	int fd;

	memcpy(q.name, s + 4, 4);
	if (s[4] % 4)
		q.name[0] = (char)('a' + s[4] % 4), q.name[1] = '\0';
	(void)ask(GUESTS, &q, &fd);
}

static void step(struct vdev *d, const uint8_t *s)
{
	_Atomic uint32_t *word[BELL_WORDS];

	switch (s[0] / GUESTS % WHATS) {
	case FACTORY: access_bar(d, FACTORY, s); break;
	case MSIX: access_bar(d, MSIX, s); break;
	case WINDOW: access_bar(d, WINDOW, s); break;
	case CONFIG: access_config(d, s); break;
	case NAME: set_name(d, s); break;
	case LOOK:
		if (look(d, word) > BELL_WORDS)
			abort();
		break;
	case MOVE: d->pci->placed(d->pci, WINDOW, (uint64_t)(s[1] & 1) << 28); break;
	default: ask_hostile(s);
	}
}

/* The input as the rules that a worker sends. */
static void read_rules(const uint8_t *data, size_t n)
{
	AUTO_FREE char *rules = strndup((const char *)data, n < SHMEM_RULES ? n : SHMEM_RULES - 1);

	if (!rules)
		abort();
	if (shmem_are_rules(rules))
		(void)shmem_may(rules, "abc");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct machine m = {0};
	struct vdev *d[GUESTS];

	read_rules(data, n);
	registry = (struct registry){.budget_bytes = BUDGET_PAGES * SHMEM_PAGE};
	for (unsigned i = 0; i <= GUESTS; i++) {
		links[i] = (struct registry_link){0};
		strcpy(links[i].rules, i == GUESTS ? "/-c" : "/");
	}
	for (unsigned i = 0; i < GUESTS; i++)
		d[i] = guest(i, &m);
	for (size_t at = 0; at + STEP <= n; at += STEP)
		step(d[data[at] % GUESTS], data + at);
	for (unsigned i = 0; i < GUESTS; i++) {
		d[i]->want[0].fd = -1;
		vdev_free(d[i]);
	}
	for (unsigned i = 0; i <= GUESTS; i++)
		registry_drop(&registry, &links[i]);
	if (registry.n_regions || registry.used_bytes || registry.first)
		abort(); /* nobody has them any more */
	return 0;
}
