/* SPDX-License-Identifier: Apache-2.0 */
#include "trap.h"

#include "power.h"
#include "say.h"

struct frame {
	uint64_t r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

struct gate {
	uint16_t offset_low, selector;
	uint8_t stack, kind;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};

_Static_assert(sizeof(struct gate) == 16, "Intel SDM vol. 3, 6.14.1");

enum { CODE64 = 8, INTERRUPT_GATE = 0x8e };

void trap_enter(struct frame *f);

extern const uint64_t trap_stubs[TRAP_VECTORS];

static struct gate idt[TRAP_VECTORS];
static void (*handler[TRAP_VECTORS])(void);
/* Where a probe goes on after its exception; 0 = nobody expects one. */
static volatile uint64_t resume;
static volatile int caught;

void trap_load(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) where = {sizeof(idt) - 1, (uintptr_t)idt};

	for (unsigned i = 0; i < TRAP_VECTORS; i++) {
		uint64_t at = trap_stubs[i];

		idt[i] = (struct gate){
			.offset_low = (uint16_t)at,
			.selector = CODE64,
			.kind = INTERRUPT_GATE,
			.offset_mid = (uint16_t)(at >> 16),
			.offset_high = (uint32_t)(at >> 32),
		};
	}
	__asm__ volatile("lidt %0" : : "m"(where));
}

void trap_handle(unsigned vector, void (*fn)(void))
{
	handler[vector] = fn;
}

const char *trap_name(int vector)
{
	static const char *const name[] = {
		[0] = "#DE",  [6] = "#UD",  [8] = "#DF",  [11] = "#NP",
		[12] = "#SS", [13] = "#GP", [14] = "#PF", [18] = "#MC",
	};

	if (vector >= 0 && vector < (int)(sizeof(name) / sizeof(name[0])) && name[vector])
		return name[vector];
	return "another exception";
}

void trap_enter(struct frame *f)
{
	if (f->vector < TRAP_VECTORS && handler[f->vector]) {
		handler[f->vector]();
		return;
	}
	if (resume) {
		caught = (int)f->vector;
		f->rip = resume;
		resume = 0;
		return;
	}
	say("exception %U (%s) that I did not expect, error 0x%x, at 0x%x: I switch myself off\n",
	    f->vector, trap_name((int)f->vector), f->error, f->rip);
	power_off();
}

/* One instruction that may raise an exception, between two labels. */
#define PROBE(instruction, ...)                                                                    \
	({                                                                                         \
		caught = TRAP_NONE;                                                                \
		__asm__ volatile("lea 1f(%%rip), %%r11\n\t"                                        \
				 "mov %%r11, %[resume]\n\t" instruction "\n1:\n\t"                 \
				 "movq $0, %[resume]"                                              \
				 : [resume] "=m"(resume), __VA_ARGS__);                            \
		caught;                                                                            \
	})

int trap_read8(uint64_t gpa, uint8_t *value)
{
	return PROBE("movb (%[gpa]), %[v]", [v] "=&q"(*value) : [gpa] "r"(gpa) : "r11", "memory");
}

int trap_write8(uint64_t gpa, uint8_t value)
{
	return PROBE("movb %[v], (%[gpa])", "+m"(caught)
		     : [v] "q"(value), [gpa] "r"(gpa)
		     : "r11", "memory");
}

int trap_in32(uint16_t port, uint32_t *value)
{
	return PROBE("inl %[port], %%eax", "=a"(*value) : [port] "d"(port) : "r11", "memory");
}

int trap_out32(uint16_t port, uint32_t value)
{
	return PROBE("outl %%eax, %[port]", "+m"(caught)
		     : "a"(value), [port] "d"(port)
		     : "r11", "memory");
}

#define READ(mov, type)                                                                            \
	({                                                                                         \
		type v_;                                                                           \
		int trap_ = PROBE(mov " (%[gpa]), %[v]", [v] "=&q"(v_)                             \
				  : [gpa] "r"(gpa)                                                 \
				  : "r11", "memory");                                              \
		*value = v_;                                                                       \
		trap_;                                                                             \
	})
#define WRITE(mov, type)                                                                           \
	PROBE(mov " %[v], (%[gpa])", "+m"(caught)                                                  \
	      : [v] "q"((type)value), [gpa] "r"(gpa)                                               \
	      : "r11", "memory")

int trap_read(uint64_t gpa, unsigned width, uint64_t *value)
{
	switch (width) {
	case 1: return READ("movb", uint8_t);
	case 2: return READ("movw", uint16_t);
	case 4: return READ("movl", uint32_t);
	default: return READ("movq", uint64_t);
	}
}

int trap_write(uint64_t gpa, unsigned width, uint64_t value)
{
	switch (width) {
	case 1: return WRITE("movb", uint8_t);
	case 2: return WRITE("movw", uint16_t);
	case 4: return WRITE("movl", uint32_t);
	default: return WRITE("movq", uint64_t);
	}
}

#define IN(in, type)                                                                               \
	({                                                                                         \
		uint64_t v_ = 0;                                                                   \
		int trap_ = PROBE(in, "+a"(v_) : [port] "d"(port) : "r11", "memory");              \
		*value = (type)v_;                                                                 \
		trap_;                                                                             \
	})
#define OUT(out) PROBE(out, "+m"(caught) : "a"(value), [port] "d"(port) : "r11", "memory")

int trap_in(uint16_t port, unsigned width, uint64_t *value)
{
	switch (width) {
	case 1: return IN("inb %[port], %%al", uint8_t);
	case 2: return IN("inw %[port], %%ax", uint16_t);
	default: return IN("inl %[port], %%eax", uint32_t);
	}
}

int trap_out(uint16_t port, unsigned width, uint64_t value)
{
	switch (width) {
	case 1: return OUT("outb %%al, %[port]");
	case 2: return OUT("outw %%ax, %[port]");
	default: return OUT("outl %%eax, %[port]");
	}
}

/* The exception may come after the return address was pushed: the stack is put back by hand. */
int trap_execute(uint64_t gpa)
{
	caught = TRAP_NONE;
	__asm__ volatile("lea 1f(%%rip), %%r11\n\t"
			 "mov %%r11, %[resume]\n\t"
			 "mov %%rsp, %%r10\n\t"
			 "call *%[gpa]\n1:\n\t"
			 "mov %%r10, %%rsp\n\t"
			 "movq $0, %[resume]"
			 : [resume] "=m"(resume)
			 : [gpa] "r"(gpa)
			 : "r10", "r11", "memory", "cc");
	return caught;
}

int trap_rdmsr(uint32_t msr, uint64_t *value)
{
	uint32_t low, high;
	int trap = PROBE("rdmsr", "=a"(low), "=d"(high) : "c"(msr) : "r11", "memory");

	*value = low | (uint64_t)high << 32;
	return trap;
}

int trap_wrmsr(uint32_t msr, uint64_t value)
{
	return PROBE("wrmsr", "+m"(caught)
		     : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(msr)
		     : "r11", "memory");
}

int trap_popcnt(uint64_t gpa, uint32_t *value)
{
	return PROBE("popcntl (%[gpa]), %[v]", [v] "=r"(*value) : [gpa] "r"(gpa) : "r11", "memory");
}
