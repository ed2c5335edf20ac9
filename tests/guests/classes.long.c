/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classes - reads, writes and executes at one place of the board, in every width, aligned and not, at
 * its last byte and across its end, and says what came of each; on a board of several vCPUs they then
 * all do it at once, and it counts who saw something else.
 *
 * Command line: first=ADDRESS last=ADDRESS (decimal), space=port, do=x to execute instead;
 * code=write puts the code to execute there first; op=NAME does one alone, as "w4over".
 */
#include <stddef.h>

#include "board.h"
#include "lapic.h"
#include "pvh.h"
#include "say.h"
#include "smp.h"
#include "trap.h"

enum { PLACES = 4, WIDTHS = 4, ROUNDS = 64 };

static const unsigned widths[WIDTHS] = {1, 2, 4, 8};
static const char *const places[PLACES] = {"aligned", "odd", "end", "over"};
/* One instruction of 1, 2, 4 and 8 bytes that does nothing (Intel SDM vol. 2, NOP), and a return. */
static const uint8_t code[WIDTHS][9] = {
	{0x90, 0xc3},
	{0x66, 0x90, 0xc3},
	{0x0f, 0x1f, 0x40, 0x00, 0xc3},
	{0x0f, 0x1f, 0x84, 0x00, 0, 0, 0, 0, 0xc3},
};

static uint64_t first, last;
static int is_port;
static const char *only;
/* What the boot vCPU has seen. */
static uint64_t seen[PLACES][WIDTHS];
static volatile uint32_t arrived, go, done, differing;

static uint64_t place_of(unsigned place, unsigned width)
{
	switch (place) {
	case 0: return first;
	case 1: return first + 1;
	case 2: return last + 1 - width;
	default: return last + 2 - width;
	}
}

static uint64_t pattern(unsigned width)
{
	return 0xa5a5a5a5a5a5a5a5 >> (64 - 8 * width);
}

static int rd(uint64_t at, unsigned width, uint64_t *value)
{
	return is_port ? trap_in((uint16_t)at, width, value) : trap_read(at, width, value);
}

static int wr(uint64_t at, unsigned width)
{
	return is_port ? trap_out((uint16_t)at, width, pattern(width))
		       : trap_write(at, width, pattern(width));
}

/* op= names this one, or nothing was named. */
static int is_wanted(char op, unsigned width, unsigned place)
{
	const char *n = places[place], *o = only;

	if (!o)
		return 1;
	if (*o++ != op || *o++ != (char)('0' + width))
		return 0;
	while (*n && *o == *n)
		n++, o++;
	return !*n;
}

/* *value: what a read or write has just put there. */
static void report(char op, unsigned width, unsigned place, int trap, const uint64_t *value)
{
	if (trap == TRAP_NONE && !value)
		say("%c%u %s: returned\n", op, width, places[place]);
	else if (trap == TRAP_NONE)
		say("%c%u %s: %x\n", op, width, places[place], *value);
	else
		say("%c%u %s: %s\n", op, width, places[place], trap_name(trap));
}

static void read_and_write(void)
{
	for (unsigned p = 0; p < PLACES; p++)
		for (unsigned w = 0; w < WIDTHS - (unsigned)is_port; w++) {
			const unsigned width = widths[w];
			const uint64_t at = place_of(p, width);
			uint64_t value = 0;

			if (p == 3 && width == 1)
				continue;
			if (is_wanted('r', width, p))
				report('r', width, p, rd(at, width, &value), &value);
			if (is_wanted('w', width, p))
				report('w', width, p, wr(at, width), NULL);
			if (only)
				continue;
			value = 0;
			report('b', width, p, rd(at, width, &value), &value);
		}
}

/* A second pass, when every place holds what the first one left. */
static void settle(void)
{
	for (unsigned p = 0; p < PLACES; p++)
		for (unsigned w = 0; w < WIDTHS - (unsigned)is_port; w++)
			if (p != 3 || w) {
				seen[p][w] = 0;
				rd(place_of(p, widths[w]), widths[w], &seen[p][w]);
			}
}

static void execute(int writes_code)
{
	for (unsigned p = 0; p < PLACES; p += 2)
		for (unsigned w = 0; w < WIDTHS; w++) {
			/* The return is one byte more. */
			const uint64_t at = p ? last - widths[w] : first + 16 * w;

			for (unsigned i = 0; writes_code && i <= widths[w]; i++)
				trap_write(at + i, 1, code[w][i]);
			if (writes_code || !p || widths[w] == 8)
				report('x', widths[w], p, trap_execute(at), NULL);
		}
}

static void agree(void)
{
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned p = 0; p < PLACES; p++)
			for (unsigned w = p == 3; w < WIDTHS - (unsigned)is_port; w++) {
				const uint64_t at = place_of(p, widths[w]);
				uint64_t value = 0;

				wr(at, widths[w]);
				rd(at, widths[w], &value);
				if (value != seen[p][w])
					__atomic_fetch_add(&differing, 1, __ATOMIC_SEQ_CST);
			}
	__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
}

static void join(unsigned apic_id)
{
	(void)apic_id;
	__atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
	while (!go)
		__builtin_ia32_pause();
	agree();
}

static void all_at_once(const struct board *b)
{
	settle();
	for (unsigned i = 0; i < b->n_cpus; i++)
		if (b->apic_id[i] != lapic_id())
			smp_wake(b->apic_id[i], join);
	while (arrived < b->n_cpus - 1)
		__builtin_ia32_pause();
	go = 1;
	agree();
	while (done < b->n_cpus)
		__builtin_ia32_pause();
	say("%u vCPUs at once: %u answers differ\n", b->n_cpus, differing);
}

void guest_main(const struct pvh_info *info)
{
	struct board b;

	board_read(info, &b);
	trap_load();
	lapic_enable();
	first = pvh_number(info, "first", 0);
	last = pvh_number(info, "last", 0);
	is_port = pvh_is(info, "space", "port");
	only = pvh_option(info, "op");
	if (pvh_is(info, "do", "x"))
		execute(pvh_is(info, "code", "write"));
	else
		read_and_write();
	if (b.n_cpus > 1)
		all_at_once(&b);
	say("done\n");
}
