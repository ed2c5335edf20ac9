/* SPDX-License-Identifier: Apache-2.0 */
/* The options that give the board its memory: ram, rom, reserve. */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "vmm/conf/number.h"
#include "vmm/conf/parse.h"

enum { PAGE = 4096 };

static uint64_t highest(const struct draft *d)
{
	uint64_t end = 0;

	for (unsigned i = 0; i < d->n_memory; i++)
		if (d->memory[i].range.gpa + d->memory[i].range.bytes > end)
			end = d->memory[i].range.gpa + d->memory[i].range.bytes;
	return end;
}

/* "0x2000" or "1M", the way an address or a size is best written. */
static const char *written(uint64_t n, char ret[static 24])
{
	if (n % 1024 == 0)
		return str_bytes(n, ret);
	snprintf(ret, 24, "0x%" PRIx64, n);
	return ret;
}

static bool is_aligned(struct parse *p, const struct mark *at, bool is_length, uint64_t value)
{
	const char *noun = is_length ? "the length" : "the address";
	char below[24], above[24];
	struct diagnostic *d;

	if (value % PAGE == 0 || value >= PLACE_MEM_END)
		return true; /* what is out of bounds is told so */
	d = finding_error(p->findings, at,
			  "%s 0x%" PRIx64 " (%" PRIu64 ") is no multiple of the page, 4K", noun,
			  value, value);
	if (is_length && value < PAGE) {
		finding_hint(d, "a size is in bytes: write %" PRIu64 "M or %" PRIu64 "K for more",
			     value, value);
		return false;
	}
	written(value - value % PAGE, below);
	finding_hint(d, "the nearest are %s and %s", below,
		     written(value - value % PAGE + PAGE, above));
	return false;
}

/* `ADDRESS,` of an argument; false with a finding. */
static bool read_address(struct parse *p, const struct token *t, size_t n, uint64_t *ret)
{
	struct mark at = lex_mark(t, 0, n);
	struct err e;

	if (number_address(t->text, n, ret, &e) < 0) {
		finding_hint(finding_error(p->findings, &at, "%s", e.msg), NUMBER_ADDRESS_FORM);
		return false;
	}
	if (number_is_ambiguous(t->text, n))
		finding_hint(finding_warn(p->findings, &at,
					  "the address '%.*s' is read as hexadecimal, 0x%" PRIx64,
					  (int)n, t->text, *ret),
			     "write 0x%.*s, or 0d%.*s if it is decimal", (int)n, t->text, (int)n,
			     t->text);
	return is_aligned(p, &at, false, *ret);
}

static bool read_length(struct parse *p, const struct token *t, size_t from, uint64_t *ret)
{
	const char *text = t->text + from;
	struct mark at = lex_mark(t, from, strlen(text));
	struct err e;

	if (from && !text[0]) {
		finding_hint(finding_error(p->findings, &at, "a length must follow the comma"),
			     "write `%s ADDRESS,LENGTH` as one word, without white space",
			     t[-1].text);
		return false;
	}
	if (number_size(text, strlen(text), ret, &e) < 0) {
		finding_hint(finding_error(p->findings, &at, "%s", e.msg), NUMBER_SIZE_FORM);
		return false;
	}
	if (*ret == 0) {
		finding_hint(finding_error(p->findings, &at, "memory of no length"),
			     "give it at least one page, 4K, or remove it");
		return false;
	}
	return is_aligned(p, &at, true, *ret);
}

static void memory(struct parse *p, const struct token *t, bool is_rom)
{
	const char *comma = strchr(t[1].text, ',');
	size_t n = comma ? (size_t)(comma - t[1].text) : 0;
	uint64_t gpa = highest(p->draft), bytes;
	struct draft_memory *m;
	bool is_right;

	is_right = !comma || read_address(p, &t[1], n, &gpa);
	if (!read_length(p, &t[1], comma ? n + 1 : 0, &bytes) || !is_right)
		return;
	if (gpa >= PLACE_MEM_END || bytes > PLACE_MEM_END - gpa) {
		finding_hint(finding_error(p->findings, &t[1].at,
					   "it would end beyond the last guest address, 0x%" PRIx64,
					   PLACE_MEM_END - 1),
			     "a guest has 46 bits of physical address, 64 TiB: make it shorter or "
			     "move it down");
		return;
	}
	m = draft_add_memory(p->draft, p->findings, &t[1].at);
	if (!m)
		return;
	m->range = (struct board_memory){gpa, bytes, is_rom, t->at.line};
	m->is_placed = !comma;
}

void option_ram(struct parse *p, const struct token *t)
{
	memory(p, t, false);
}

void option_rom(struct parse *p, const struct token *t)
{
	memory(p, t, true);
}

void option_reserve(struct parse *p, const struct token *t)
{
	/* the context is all: what is reserved are its `loc` and `intr` */
	(void)p;
	(void)t;
}

/* `loc io 0xcf8,8` */
static void two_words(struct parse *p, const struct token *t)
{
	const struct token *end = p->lex->token + p->lex->n_tokens;
	bool has_place = t + 2 < end && !t[2].is_bad && t[2].at.part == t->at.part &&
			 t[2].at.line == t->at.line;

	finding_hint(finding_error(p->findings, &t[1].at,
				   "the address space and the place are two words here"),
		     "write them as one: `loc %s:%.64s`", t[1].text,
		     has_place ? t[2].text : "PLACE");
}

void option_reserve_loc(struct parse *p, const struct token *t)
{
	struct draft_reserve *r;
	struct place place;
	struct err e;

	if (!strcmp(t[1].text, "io") || !strcmp(t[1].text, "mem") || !strcmp(t[1].text, "pci")) {
		two_words(p, t);
		return;
	}
	if (place_parse(t[1].text, VDEV_MEM, &place, &e) < 0) {
		finding_hint(finding_error(p->findings, &t[1].at, "%s", e.msg),
			     "write `loc 0xa0000,0x20000`, `loc io:0xcf8,8` or `loc pci:0:1`");
		return;
	}
	r = draft_add_reserve(p->draft, p->findings, &t[1].at);
	if (r)
		r->place = place;
}

/* Nothing is given an interrupt automatically yet, so a reserved one is free already; the form is
 * checked all the same. */
void option_reserve_intr(struct parse *p, const struct token *t)
{
	const char *colon = strchr(t[1].text, ':');
	size_t from = colon ? (size_t)(colon - t[1].text) + 1 : 0;
	struct mark at = lex_mark(&t[1], from, strlen(t[1].text + from));
	uint64_t line;
	struct err e;

	if (number_plain(t[1].text + from, strlen(t[1].text + from), &line, &e) < 0)
		finding_hint(finding_error(p->findings, &at, "%s", e.msg),
			     "write `intr ioapic:9` or `intr 9`");
	else if (line > UINT8_MAX)
		finding_hint(finding_error(p->findings, &at,
					   "interrupt line %" PRIu64 " does not exist", line),
			     "it must be from 0 to 255");
}
