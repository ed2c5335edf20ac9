/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shmem - drives a vdev shmem (the original's public header guest_shm.h) by the script `do=` of its command
 * line: steps with arguments behind colons, separated by semicolons, each of which says what came of it.
 * On the bus it takes MSI-X, with irq=line INTA; with at=ADDRESS (hexadecimal) and irq=NUMBER it finds the
 * device off the bus.
 */
#include "board.h"
#include "ioapic.h"
#include "lapic.h"
#include "pci.h"
#include "port.h"
#include "power.h"
#include "pvh.h"
#include "say.h"
#include "trap.h"

enum { SHMEM = 0x00011c05, BAR1 = 0x14, LINE = 0x3c, CAPABILITIES = 0x34, MSIX = 0x11 };
enum { PAGE = 4096, WORDS = 8, WORD = 64, NAME = 32, VECTOR = TRAP_UART };

struct factory {
	uint64_t signature, shmem;
	uint32_t vector, status, size;
	char name[NAME];
	uint32_t find;
};

struct control {
	uint32_t status, number, notify, detach;
};

static volatile struct factory *factory;
static volatile struct control *control; /* of the region attached or found last */
static volatile char *data;
static uint32_t heard; /* who has notified; a read of the status takes it from there */

static void woken(void)
{
	lapic_eoi();
}

static uint32_t number(const char *s, unsigned base)
{
	uint32_t n = 0;

	for (;; s++) {
		if (*s >= '0' && *s <= '9')
			n = n * base + (uint32_t)(*s - '0');
		else if (base == 16 && *s >= 'a' && *s <= 'f')
			n = n * base + (uint32_t)(*s - 'a' + 10);
		else
			return n;
	}
}

static int is(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Who is there. */
static uint32_t clients(void)
{
	uint32_t status = control->status;

	heard |= status & 0xffff;
	return status >> 16;
}

/* --- the device --- */

static void take_messages(unsigned device)
{
	volatile uint32_t *table = (volatile uint32_t *)(uintptr_t)(pci_get(device, BAR1) & ~15u);
	unsigned at = pci_get(device, CAPABILITIES) & 0xfc;

	while (at && (pci_get(device, at) & 0xff) != MSIX)
		at = pci_get(device, at + 1) & 0xfc;
	table[0] = 0xfee00000;
	table[1] = 0;
	table[2] = VECTOR;
	table[3] = 0;
	pci_set16(device, at + 2, 0x8000);
}

static int find_device(const struct pvh_info *info)
{
	const char *at = pvh_option(info, "at");
	int device = at ? -1 : pci_find(SHMEM);
	struct board b;

	board_read(info, &b);
	if (at) {
		factory = (void *)(uintptr_t)number(at, 16);
		ioapic_route(b.ioapic_gpa, (unsigned)pvh_number(info, "irq", 0), VECTOR);
		return 1;
	}
	if (device < 0)
		return 0;
	pci_set16((unsigned)device, PCI_COMMAND, PCI_MEMORY | PCI_MASTER);
	factory = (void *)(uintptr_t)(pci_get((unsigned)device, PCI_BAR0) & ~15u);
	if (pvh_is(info, "irq", "line"))
		ioapic_route(b.ioapic_gpa, pci_get((unsigned)device, LINE) & 0xff, VECTOR);
	else
		take_messages((unsigned)device);
	return 1;
}

/* --- steps --- */

static void name_it(const char *name)
{
	unsigned i = 0;

	do
		factory->name[i] = name[i];
	while (name[i++] && i < NAME);
}

static void tell_region(const char *what, const char *which)
{
	if (factory->status) {
		say("shmem: %s %s: status %u, at %x\n", what, which, factory->status,
		    factory->shmem);
		return;
	}
	control = (void *)(uintptr_t)factory->shmem;
	heard = 0;
	data = (volatile char *)(uintptr_t)(factory->shmem + PAGE);
	say("shmem: %s %s: status 0, %u pages, number %u, clients %x\n", what, which, factory->size,
	    control->number, (uint64_t)clients());
}

static void attach(const char *name, const char *pages)
{
	name_it(name);
	factory->size = number(pages, 10);
	tell_region("attach", name);
}

static void find(const char *n)
{
	char name[NAME + 1] = "";

	factory->find = number(n, 10);
	for (unsigned i = 0; i < NAME && factory->status == 0; i++)
		name[i] = factory->name[i];
	tell_region("find", name);
}

static void put(const char *text)
{
	unsigned i = 0;

	do
		data[i] = text[i];
	while (text[i++]);
}

static void get(void)
{
	char text[WORD];
	unsigned i = 0;

	do
		text[i] = data[i];
	while (text[i] && ++i < WORD - 1);
	text[i] = '\0';
	say("shmem: there is '%s'\n", text);
}

/* Sleep until the mask of clients is that. */
static void await(const char *mask)
{
	while (clients() != number(mask, 16))
		port_sleep();
	say("shmem: clients %s\n", mask);
}

/* Sleep until somebody has notified. */
static void wait(void)
{
	while (clients() && !heard)
		port_sleep();
	say("shmem: notified by %x\n", (uint64_t)heard);
	heard = 0;
}

/* So many times: notify all others and sleep until one of them has notified; or the other way round. */
static void play(const char *times, int begins)
{
	for (uint32_t i = 0; i < number(times, 10); i++) {
		if (begins)
			control->notify = ~0u;
		while (!heard && clients() && !heard)
			port_sleep();
		heard = 0;
		if (!begins)
			control->notify = ~0u;
	}
	say("shmem: played %s times\n", times);
}

static void detach(void)
{
	control->detach = 1;
	say("shmem: detached, it reads %x and %x\n", (uint64_t)control->number,
	    (uint64_t) * (volatile uint32_t *)data);
}

/* The last byte of the last page too. */
static void fill(void)
{
	for (uint32_t i = 0; i < factory->size; i++)
		*(volatile uint32_t *)(data + (uint64_t)i * PAGE) = i + 1;
	data[(uint64_t)factory->size * PAGE - 1] = 'z';
	say("shmem: filled %u pages\n", factory->size);
}

static void check(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < factory->size; i++)
		n += *(volatile uint32_t *)(data + (uint64_t)i * PAGE) == i + 1;
	say("shmem: %u pages as filled, last byte %x\n", n,
	    (uint64_t)(uint8_t)data[(uint64_t)factory->size * PAGE - 1]);
}

static void cycle(const char *times, const char *name, const char *pages)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < number(times, 10); i++) {
		name_it(name);
		factory->size = number(pages, 10);
		if (factory->status == 0) {
			((volatile struct control *)(uintptr_t)factory->shmem)->detach = 0;
			n++;
		}
	}
	say("shmem: attached and detached %u times\n", n);
}

/* Every access that the factory page does not know. */
static void rubbish(void)
{
	volatile uint8_t *at = (volatile uint8_t *)factory;

	for (unsigned i = 0; i < 128; i++) {
		at[i] = 0xff;
		*(volatile uint64_t *)(at + i) = ~0ull;
		(void)*(volatile uint16_t *)(at + i);
	}
	*(volatile uint32_t *)(at + PAGE - 4) = ~0u;
	say("shmem: signature %x, status %u\n", factory->signature, factory->status);
}

static void step(char word[WORDS][WORD])
{
	const char *what = word[0];

	if (is(what, "attach"))
		attach(word[1], word[2]);
	else if (is(what, "find"))
		find(word[1]);
	else if (is(what, "put"))
		put(word[1]);
	else if (is(what, "get"))
		get();
	else if (is(what, "await"))
		await(word[1]);
	else if (is(what, "notify"))
		control->notify = number(word[1], 16);
	else if (is(what, "wait"))
		wait();
	else if (is(what, "ping") || is(what, "pong"))
		play(word[1], is(what, "ping"));
	else if (is(what, "detach"))
		detach();
	else if (is(what, "fill"))
		fill();
	else if (is(what, "check"))
		check();
	else if (is(what, "cycle"))
		cycle(word[1], word[2], word[3]);
	else if (is(what, "rubbish"))
		rubbish();
	else if (is(what, "reboot"))
		power_reset(POWER_I8042);
	else if (is(what, "stay"))
		for (;;)
			port_sleep();
	else
		say("shmem: what is '%s'?\n", what);
}

/* The next step of the script into words; where it goes on. */
static const char *take(const char *s, char word[WORDS][WORD])
{
	unsigned w = 0, i = 0;

	for (unsigned k = 0; k < WORDS; k++)
		word[k][0] = '\0';
	for (; *s && *s != ';' && *s != ' '; s++) {
		if (*s == ':' && w < WORDS - 1) {
			w++;
			i = 0;
		} else if (i < WORD - 1) {
			word[w][i++] = *s;
			word[w][i] = '\0';
		}
	}
	return *s == ';' ? s + 1 : "";
}

void guest_main(const struct pvh_info *info)
{
	const char *script = pvh_option(info, "do");
	char word[WORDS][WORD];

	trap_load();
	trap_handle(VECTOR, woken);
	lapic_enable();
	if (!find_device(info)) {
		say("shmem: there is none\n");
		return;
	}
	say("shmem: signature %x\n", factory->signature);
	while (script && *script && *script != ' ') {
		script = take(script, word);
		step(word);
	}
	say("shmem: done\n");
}
