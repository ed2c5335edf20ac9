/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject_code PID segv|bus|ill|fpe|trap|spin: make the main thread of a process execute one
 * instruction that ends it by that signal, as a defect in it would, or that never ends. A signal that
 * is merely sent would not do: a worker is the first process of its namespace. x86-64 only.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "tests/fault/tracee.h"

#define NOT_CANONICAL UINT64_C(0x8000000000000000)

static const struct {
	const char *name;
	uint8_t code[2];
} faults[] = {
	{"segv", {0x8a, 0x01}}, /* mov (%rcx),%al with rcx = 0 */
	{"bus", {0x50, 0x90}},	/* push %rax with a stack that is no address: #SS */
	{"ill", {0x0f, 0x0b}},	/* ud2 */
	{"fpe", {0xf7, 0xf1}},	/* div %ecx with ecx = 0 */
	{"trap", {0xcc, 0x90}}, /* int3 */
	{"spin", {0xeb, 0xfe}}, /* jmp . */
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 3 && i < NELEMS(faults); i++) {
		struct user_regs_struct r;
		int pid = atoi(argv[1]);
		long word;

		if (strcmp(argv[2], faults[i].name) != 0)
			continue;
		if (tracee_hold(pid, &r) < 0)
			return 1;
		errno = 0;
		word = ptrace(PTRACE_PEEKTEXT, pid, r.rip, 0);
		memcpy(&word, faults[i].code, sizeof faults[i].code);
		if (errno || ptrace(PTRACE_POKETEXT, pid, r.rip, word) < 0) {
			perror("write the instruction");
			return 1;
		}
		r.rcx = 0;
		if (!strcmp(argv[2], "bus"))
			r.rsp = NOT_CANONICAL;
		return tracee_go(pid, &r) < 0;
	}
	fprintf(stderr, "usage: inject_code PID segv|bus|ill|fpe|trap|spin\n");
	return 2;
}
