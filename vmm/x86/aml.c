/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/aml.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

enum {
	OP_NAME = 0x08,
	OP_BYTE = 0x0a,
	OP_WORD = 0x0b,
	OP_DWORD = 0x0c,
	OP_STRING = 0x0d,
	OP_SCOPE = 0x10,
	OP_BUFFER = 0x11,
	OP_PACKAGE = 0x12,
	OP_EXTENDED = 0x5b,
	OP_DEVICE = 0x82,
};
/* 6.4.3.5: minimum and maximum are fixed, the range is passed on (producer). */
enum { PRODUCED = 0x0c, CONSUMED = 1, READ_WRITE = 1, END_TAG = 0x79 };

static void put(struct aml *a, const void *bytes, size_t n)
{
	if (n > sizeof a->code - a->n)
		abort();
	memcpy(a->code + a->n, bytes, n);
	a->n += n;
}

static void byte(struct aml *a, unsigned value)
{
	put(a, &(uint8_t){(uint8_t)value}, 1);
}

static void word(struct aml *a, unsigned value)
{
	put(a, &(uint16_t){(uint16_t)value}, 2);
}

static void dword(struct aml *a, uint32_t value)
{
	put(a, &value, 4);
}

static void open_block(struct aml *a)
{
	if (a->depth == AML_DEPTH)
		abort();
	a->open[a->depth++] = a->n;
}

/* 20.2.4: the length counts its own bytes; the low four bits come first when there are several. */
static void close_block(struct aml *a)
{
	size_t at = a->open[--a->depth], n = a->n - at;
	unsigned extra = n + 1 < 0x40 ? 0 : n + 2 < 0x1000 ? 1 : 2;
	uint8_t prefix[3];

	n += extra + 1;
	prefix[0] = (uint8_t)(extra ? extra << 6 | (n & 0xf) : n);
	prefix[1] = (uint8_t)(n >> 4);
	prefix[2] = (uint8_t)(n >> 12);
	if (extra + 1 > sizeof a->code - a->n)
		abort();
	memmove(a->code + at + extra + 1, a->code + at, a->n - at);
	memcpy(a->code + at, prefix, extra + 1);
	a->n += extra + 1;
}

void aml_scope(struct aml *a, const char *path)
{
	byte(a, OP_SCOPE);
	open_block(a);
	put(a, path, strlen(path));
}

void aml_device(struct aml *a, const char *path)
{
	byte(a, OP_EXTENDED);
	byte(a, OP_DEVICE);
	open_block(a);
	put(a, path, strlen(path));
}

void aml_package(struct aml *a, uint8_t elements)
{
	byte(a, OP_PACKAGE);
	open_block(a);
	byte(a, elements);
}

void aml_resources(struct aml *a)
{
	byte(a, OP_BUFFER);
	open_block(a);
	byte(a, OP_WORD);
	word(a, 0); /* its size, once known */
}

void aml_close(struct aml *a)
{
	close_block(a);
}

void aml_close_resources(struct aml *a)
{
	size_t at = a->open[a->depth - 1], size;

	byte(a, END_TAG);
	byte(a, 0); /* no checksum */
	size = a->n - at - 3;
	a->code[at + 1] = (uint8_t)size;
	a->code[at + 2] = (uint8_t)(size >> 8);
	close_block(a);
}

void aml_name(struct aml *a, const char *path)
{
	byte(a, OP_NAME);
	put(a, path, strlen(path));
}

void aml_number(struct aml *a, uint32_t value)
{
	if (value <= 1) {
		byte(a, value); /* ZeroOp, OneOp */
	} else if (value <= UINT8_MAX) {
		byte(a, OP_BYTE);
		byte(a, value);
	} else if (value <= UINT16_MAX) {
		byte(a, OP_WORD);
		word(a, value);
	} else {
		byte(a, OP_DWORD);
		dword(a, value);
	}
}

static unsigned nibble(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'A' + 10);
}

/* 19.3.4: three letters of five bits, four digits, big-endian. */
void aml_eisa(struct aml *a, const char *id)
{
	unsigned letters = (id[0] & 0x1fu) << 10 | (id[1] & 0x1fu) << 5 | (id[2] & 0x1fu);

	byte(a, OP_DWORD);
	byte(a, letters >> 8);
	byte(a, letters);
	byte(a, nibble(id[3]) << 4 | nibble(id[4]));
	byte(a, nibble(id[5]) << 4 | nibble(id[6]));
}

void aml_string(struct aml *a, const char *text)
{
	byte(a, OP_STRING);
	put(a, text, strlen(text) + 1);
}

/* 6.4.2.5 */
void aml_take_ports(struct aml *a, uint16_t base, uint8_t count)
{
	byte(a, 0x47);
	byte(a, 1); /* 16 bits are decoded */
	word(a, base);
	word(a, base);
	byte(a, 1);
	byte(a, count);
}

/* 6.4.3.4 */
void aml_take_memory(struct aml *a, uint32_t base, uint32_t bytes)
{
	byte(a, 0x86);
	word(a, 9);
	byte(a, READ_WRITE);
	dword(a, base);
	dword(a, bytes);
}

/* 6.4.3.5.1 */
void aml_take_memory_64(struct aml *a, uint64_t base, uint64_t bytes)
{
	const uint64_t field[] = {0, base, base + (bytes - 1), 0, bytes};

	byte(a, 0x8a);
	word(a, 3 + sizeof field);
	byte(a, 0);
	byte(a, PRODUCED | CONSUMED);
	byte(a, READ_WRITE);
	for (size_t i = 0; i < NELEMS(field); i++) {
		dword(a, (uint32_t)field[i]);
		dword(a, (uint32_t)(field[i] >> 32));
	}
}

/* 6.4.3.6 */
void aml_take_line(struct aml *a, uint32_t line)
{
	byte(a, 0x89);
	word(a, 6);
	byte(a, CONSUMED);
	byte(a, 1); /* one line */
	dword(a, line);
}

/* 6.4.3.5.3: granularity, first, last, translation, length */
void aml_pass_buses(struct aml *a, uint16_t first, uint16_t last)
{
	byte(a, 0x88);
	word(a, 13);
	byte(a, 2);
	byte(a, PRODUCED);
	byte(a, 0);
	word(a, 0);
	word(a, first);
	word(a, last);
	word(a, 0);
	word(a, last - first + 1u);
}

/* 6.4.3.5.2 */
void aml_pass_memory(struct aml *a, uint32_t base, uint32_t bytes)
{
	byte(a, 0x87);
	word(a, 23);
	byte(a, 0);
	byte(a, PRODUCED);
	byte(a, READ_WRITE);
	dword(a, 0);
	dword(a, base);
	dword(a, base + (bytes - 1));
	dword(a, 0);
	dword(a, bytes);
}
