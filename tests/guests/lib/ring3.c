/* SPDX-License-Identifier: Apache-2.0 */
#include "ring3.h"

#include <stddef.h>
#include <stdint.h>

enum { USER_CODE = 0x18 | 3, USER_DATA = 0x20 | 3, TASK_STATE = 0x28, IOPL3 = 3 << 12 | 2 };

struct task_state {
	uint32_t reserved;
	uint64_t rsp[3];
	uint64_t unused[9];
	uint16_t pad, io_map;
	uint8_t port[8192], port_end; /* a set bit forbids a port; the last byte must be all ones */
} __attribute__((packed));

_Static_assert(offsetof(struct task_state, port) == 104, "Intel SDM vol. 3, 8.7");

extern uint64_t start_gdt[];

static struct task_state state;
static uint8_t stack0[4096] __attribute__((aligned(16))), stack3[4096] __attribute__((aligned(16)));

void ring3_enter(void (*fn)(void))
{
	const uint64_t base = (uintptr_t)&state;
	uint64_t *descriptor = start_gdt + TASK_STATE / 8;

	state.rsp[0] = (uintptr_t)(stack0 + sizeof(stack0));
	state.io_map = offsetof(struct task_state, port);
	state.port_end = 0xff;
	descriptor[0] = (sizeof(state) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
			(base >> 24 & 0xff) << 56;
	descriptor[1] = base >> 32;
	__asm__ volatile("ltr %w0" : : "r"(TASK_STATE));
	__asm__ volatile(
		"push %0; push %1; push %2; push %3; push %4; iretq"
		:
		: "r"((uint64_t)USER_DATA), "r"((uint64_t)(uintptr_t)(stack3 + sizeof(stack3) - 8)),
		  "r"((uint64_t)IOPL3), "r"((uint64_t)USER_CODE), "r"((uint64_t)(uintptr_t)fn)
		: "memory");
	__builtin_unreachable();
}
