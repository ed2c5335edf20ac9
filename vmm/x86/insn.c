/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/insn.h"

#include <stdbool.h>

/*
 * What follows an opcode, one letter each, sixteen opcodes a line:
 *   . nothing   m ModRM   b imm8   w imm16   z imm16/32   v imm16/32/64   a moffs   p far pointer
 *   n ModRM + imm8   Z ModRM + imm16/32   e imm16 + imm8   P prefix   2 3 4 the maps 0F, 0F38, 0F3A
 *   (MOV to and from control and debug registers: b, their ModRM has no memory form)
 *   f F  ModRM, and imm8 or imm16/32 if its reg field is below 2 (TEST)
 */
static const char one_byte[] = "mmmmbz..mmmmbz.2"
			       "mmmmbz..mmmmbz.."
			       "mmmmbzP.mmmmbzP."
			       "mmmmbzP.mmmmbzP."
			       "................"
			       "................"
			       "..mmPPPPzZbn...."
			       "bbbbbbbbbbbbbbbb"
			       "nZnnmmmmmmmmmmmm"
			       "..........p....."
			       "aaaa....bz......"
			       "bbbbbbbbvvvvvvvv"
			       "nnw.mmnZe.w..b.."
			       "mmmmbb..mmmmmmmm"
			       "bbbbbbbbzzpb...."
			       "P.PP..fF......mm";
static const char two_byte[] = "mmmm.........m.n"
			       "mmmmmmmmmmmmmmmm"
			       "bbbbbbbbmmmmmmmm"
			       "........3.4....."
			       "mmmmmmmmmmmmmmmm"
			       "mmmmmmmmmmmmmmmm"
			       "mmmmmmmmmmmmmmmm"
			       "nnnnmmm.mmmmmmmm"
			       "zzzzzzzzzzzzzzzz"
			       "mmmmmmmmmmmmmmmm"
			       "...mnmmm...mnmmm"
			       "mmmmmmmmmmnmmmmm"
			       "mmnmnnnm........"
			       "mmmmmmmmmmmmmmmm"
			       "mmmmmmmmmmmmmmmm"
			       "mmmmmmmmmmmmmmmm";

enum { MOST = 15 }; /* bytes of any instruction */

struct cursor {
	const uint8_t *p;
	size_t n, at;
	unsigned bits;
	bool has_66, has_67, rex_w;
};

static uint8_t next(struct cursor *c)
{
	return c->at < c->n ? c->p[c->at++] : (c->at = SIZE_MAX / 2, (uint8_t)0);
}

static size_t immediate(const struct cursor *c)
{
	bool narrow = (c->bits == 16) != c->has_66;

	return narrow && !c->rex_w ? 2 : 4;
}

static size_t address_bytes(const struct cursor *c)
{
	if (c->bits == 64)
		return c->has_67 ? 4 : 8;
	return (c->bits == 16) != c->has_67 ? 2 : 4;
}

/* SDM tables 2-1 to 2-3. Returns the reg field. */
static unsigned modrm(struct cursor *c)
{
	uint8_t m = next(c);
	unsigned mod = m >> 6, rm = m & 7;

	if (mod == 3)
		return m >> 3 & 7;
	if (address_bytes(c) == 2) {
		c->at += mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0;
		return m >> 3 & 7;
	}
	if (rm == 4)
		rm = next(c) & 7; /* of the SIB: base 5 has a displacement too */
	c->at += mod == 1 ? 1 : mod == 2 || rm == 5 ? 4 : 0;
	return m >> 3 & 7;
}

static char map_of(unsigned map, uint8_t opcode)
{
	static const char by_map[] = "x2mnxxxxnmZ"; /* 8 to 10 are XOP's */

	if (map == 1)
		return two_byte[opcode];
	return map < sizeof by_map - 1 ? by_map[map] : 'x';
}

/* VEX (C4, C5) and EVEX (62): outside 64-bit mode only if a ModRM byte would name a register. AMD's
 * XOP (8F, APM volume 3, 1.8): if its map is beyond those of VEX, else it is POP. */
static bool is_vector(const struct cursor *c, uint8_t opcode)
{
	if (c->at >= c->n)
		return false;
	if (opcode == 0x8f)
		return (c->p[c->at] & 31) >= 8;
	return (opcode == 0xc4 || opcode == 0xc5 || opcode == 0x62) &&
	       (c->bits == 64 || c->p[c->at] >= 0xc0);
}

static char vector_form(struct cursor *c, uint8_t opcode)
{
	unsigned map = 1;

	if (opcode != 0xc5)
		map = next(c) & (opcode == 0x62 ? 7 : 31);
	c->at += opcode == 0x62 ? 2 : 1;
	return map_of(map, next(c));
}

static char opcode_form(struct cursor *c)
{
	uint8_t opcode = next(c);
	char form;

	while (one_byte[opcode] == 'P' && c->at <= MOST) {
		c->has_66 |= opcode == 0x66;
		c->has_67 |= opcode == 0x67;
		opcode = next(c);
	}
	if (c->bits == 64 && opcode >= 0x40 && opcode <= 0x4f) {
		c->rex_w = opcode & 8;
		opcode = next(c);
	}
	if (is_vector(c, opcode))
		return vector_form(c, opcode);
	form = one_byte[opcode];
	if (form == '2') {
		opcode = next(c);
		form = two_byte[opcode];
	}
	if (form == '3' || form == '4') {
		next(c);
		form = form == '3' ? 'm' : 'n';
	}
	return form;
}

size_t insn_length(const uint8_t *bytes, size_t n, unsigned bits)
{
	struct cursor c = {.p = bytes, .n = n, .bits = bits};
	char form = opcode_form(&c);

	switch (form) {
	case '.': break;
	case 'm': modrm(&c); break;
	case 'n':
		modrm(&c);
		c.at += 1;
		break;
	case 'Z':
		modrm(&c);
		c.at += immediate(&c);
		break;
	case 'f': c.at += modrm(&c) < 2 ? 1 : 0; break;
	case 'F': c.at += modrm(&c) < 2 ? immediate(&c) : 0; break;
	case 'b': c.at += 1; break;
	case 'w': c.at += 2; break;
	case 'e': c.at += 3; break;
	case 'z': c.at += immediate(&c); break;
	case 'v': c.at += c.rex_w ? 8 : immediate(&c); break;
	case 'a': c.at += address_bytes(&c); break;
	case 'p': c.at += immediate(&c) + 2; break;
	default: return 0;
	}
	return c.at <= n && c.at <= MOST ? c.at : 0;
}
