/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/insn.h"

#include "tests/unit/test.h"

static const struct {
	unsigned bits;
	size_t length; /* 0: not whole, or invalid */
	const char *bytes;
	size_t n;
} cases[] = {
#define CASE(bits, length, bytes)                                                                  \
	{                                                                                          \
		bits, length, bytes, sizeof bytes - 1                                              \
	}
	CASE(64, 1, "\x90"),
	CASE(64, 1, "\xf4\xf4\xf4"),
	CASE(64, 3, "\x0f\x01\xd0"),		   /* xgetbv */
	CASE(64, 4, "\xf3\x0f\xb8\x3f"),	   /* popcnt (%rdi),%edi */
	CASE(64, 6, "\xf2\x48\x0f\x38\xf0\xc1"),   /* crc32 %cl,%rax */
	CASE(64, 10, "\x48\xb8\1\2\3\4\5\6\7\x8"), /* mov imm64,%rax */
	CASE(64, 5, "\xb8\1\2\3\4"),		   /* mov imm32,%eax */
	CASE(64, 4, "\x66\xb8\1\2"),		   /* mov imm16,%ax */
	CASE(16, 3, "\xb8\1\2"),		   /* mov imm16,%ax */
	CASE(16, 6, "\x66\xb8\1\2\3\4"),	   /* mov imm32,%eax */
	CASE(64, 7, "\x48\x8b\x05\1\2\3\4"),	   /* mov 0x4030201(%rip),%rax */
	CASE(64, 8, "\x48\x8b\x84\x24\1\2\3\4"),   /* mov 0x4030201(%rsp),%rax */
	CASE(64, 8, "\x48\x8b\x04\x25\1\2\3\4"),   /* mov 0x4030201,%rax */
	CASE(16, 4, "\x8b\x06\1\2"),		   /* mov 0x201,%ax */
	CASE(16, 2, "\x8b\x07"),		   /* mov (%bx),%ax */
	CASE(16, 8, "\x67\x8b\x04\x25\1\2\3\4"),   /* addr32 mov 0x4030201,%ax */
	CASE(64, 9, "\xa1\1\2\3\4\5\6\7\x8"),	   /* movabs 0x..,%eax */
	CASE(32, 5, "\xa1\1\2\3\4"),		   /* mov 0x..,%eax */
	CASE(32, 7, "\x9a\1\2\3\4\5\6"),	   /* lcall */
	CASE(32, 4, "\xc8\1\2\3"),		   /* enter */
	CASE(64, 3, "\xf6\xc1\1"),		   /* test $1,%cl */
	CASE(64, 2, "\xf6\xd1"),		   /* not %cl */
	CASE(64, 7, "\x48\xf7\xc1\1\2\3\4"),	   /* test imm32,%rcx */
	CASE(64, 4, "\xc5\xf8\x28\xc1"),	   /* vmovaps %xmm1,%xmm0 */
	CASE(64, 3, "\xc5\xf8\x77"),		   /* vzeroupper */
	CASE(64, 6, "\xc4\xe3\x79\x0f\xc1\x8"),	   /* vpalignr $8 */
	CASE(64, 6, "\x62\xf1\x7c\x48\x28\xc1"),   /* vmovaps %zmm1,%zmm0 */
	CASE(32, 2, "\xc5\x00"),		   /* lds (%eax),%eax */
	CASE(64, 2, "\x0f\x05"),		   /* syscall */
	CASE(64, 2, "\xcd\x80"),		   /* int $0x80 */
	CASE(64, 0, "\x0f"),
	CASE(64, 0, "\x48"),
	CASE(64, 0, ""),
	CASE(64, 0, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90"),
};

TEST(insn_length_is_that_of_the_manual)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (insn_length((const uint8_t *)cases[i].bytes, cases[i].n, cases[i].bits) !=
		    cases[i].length)
			fail_msg("case %zu", i);
}
