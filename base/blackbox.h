/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blackbox.h - the flight recorder of one VM: a sealed memfd, written lock-free by its worker,
 * mapped read-only by qvmd and qvm-api; it outlives the worker, even one killed by SIGKILL.
 *
 * Layout: struct blackbox, then the arrays that blackbox_layout() places. The writer knows its own
 * offsets; a reader computes them again from the two counts (bounded by the file's size) and trusts
 * no other number in the box: indices are masked, strings are terminated by the reader.
 * All times are monotonic nanoseconds.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/name.h"

#define BLACKBOX_MAGIC UINT64_C(0x31786f424d565100) /* "\0QVMBox1" */

enum {
	BLACKBOX_VERSION = 4,
	BLACKBOX_MAX_VCPUS = 4096,
	BLACKBOX_MAX_VDEVS = 1024,
	BLACKBOX_PLACES = 2048,	       /* rows of the map; what is beyond is counted */
	BLACKBOX_EXITS = 256,	       /* last exits kept; a power of two */
	BLACKBOX_LOG = 32 * 1024,      /* bytes of log kept; a power of two */
	BLACKBOX_CONSOLE = 256 * 1024, /* bytes of console kept; a power of two */
	BLACKBOX_PAGE = 4096,	       /* bytes; of ram_pages */
	BLACKBOX_REASONS = 48,	       /* exits counted by KVM exit reason; higher ones in [0] */
};

enum blackbox_state {
	BLACKBOX_EMPTY,
	BLACKBOX_ASSEMBLING,
	BLACKBOX_READY,
	BLACKBOX_RUNNING,
	BLACKBOX_PAUSED,
	BLACKBOX_ENDED,
};

enum blackbox_vcpu_state {
	BLACKBOX_VCPU_OFF,   /* waits for INIT/SIPI, or never started */
	BLACKBOX_VCPU_GUEST, /* inside KVM_RUN */
	BLACKBOX_VCPU_EXIT,  /* the worker handles an exit; `since` is the start of the handler */
	BLACKBOX_VCPU_HALTED,
	BLACKBOX_VCPU_HELD, /* stands between two instructions, for a dump */
};

/* Who answers: the access classes, and what of KVM's own never reaches the worker. */
enum blackbox_class {
	BLACKBOX_RAM,
	BLACKBOX_ROM,
	BLACKBOX_PASS,
	BLACKBOX_VDEV,
	BLACKBOX_KERNEL,
};

enum blackbox_space { BLACKBOX_MEMORY, BLACKBOX_PORT, BLACKBOX_LINE, BLACKBOX_SLOT };

/* One row of the map of the board, memory first: RAM and ROM in the order of the RAM memfd. */
struct blackbox_place {
	_Atomic uint64_t base; /* address, port, line or PCI slot; of a BAR where it is now */
	uint64_t bytes;	       /* 1 of a line or slot */
	uint64_t offset;       /* of RAM and ROM, in the RAM memfd */
	int32_t vdev;	       /* row of the vdev; -1 = none */
	uint8_t space, class;  /* enum blackbox_space, blackbox_class */
	uint8_t bar;	       /* number of the BAR + 1; 0 = a fixed place */
	_Atomic uint8_t is_on; /* it answers now: a BAR may be switched off */
	char name[32];	       /* of the owner */
};

/* A segment register or table register. */
struct blackbox_segment {
	uint64_t base;
	uint32_t limit;
	uint16_t selector, flags; /* flags: bits 8 to 23 of the descriptor's second word */
};

/* Registers of a vCPU that is held or has ended; the first eighteen in the order of struct
 * kvm_regs. */
struct blackbox_regs {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rip, rflags;
	uint64_t cr0, cr2, cr3, cr4, efer, kernel_gs_base;
	struct blackbox_segment cs, ds, es, fs, gs, ss, ldt, tr, gdt, idt;
	uint8_t fpu[512]; /* as FXSAVE writes it in 64-bit mode */
};

struct blackbox_vcpu {
	_Atomic uint32_t state; /* enum blackbox_vcpu_state */
	_Atomic uint32_t regs_valid;
	_Atomic uint64_t since_ns;
	_Atomic uint64_t last_rip;
	_Atomic uint64_t exits[BLACKBOX_REASONS];
	struct blackbox_regs regs;
};

struct blackbox_vdev {
	char name[32];
	_Atomic uint64_t reads, writes, interrupts, bytes_in, bytes_out;
	_Atomic uint64_t errors; /* of the host: what the guest asked for and did not get */
	_Atomic uint64_t drops;	 /* frames that found no room, or were none */
	_Atomic uint64_t given;	 /* of a balloon: bytes of memory that the guest does without */
	_Atomic uint64_t
		available; /* bytes of memory that the guest says it could give; 0 = unsaid */
	_Atomic uint64_t deadline_ns; /* when its alarm is due; 0 = it has none */
};

/* One exit that user space handled. */
struct blackbox_exit {
	_Atomic uint64_t at_ns; /* 0 while the slot is written */
	uint64_t rip, address, value;
	uint32_t vcpu, reason;			   /* reason: KVM_EXIT_* */
	uint8_t width, is_write, answered, pad[5]; /* answered: enum space_answer */
};

/* How it ended, by the worker's own account. Written once, `is_set` last. */
struct blackbox_end {
	_Atomic uint32_t is_set;
	uint32_t cause;	    /* enum cause of schemas/cause.h */
	uint32_t exit_code; /* QNX's */
	int32_t syscall;    /* of a forbidden system call, else -1 */
	uint32_t vcpu;	    /* that ended the VM */
	uint32_t pad;
	char detail[96]; /* "i8042 reset", "KVM_EXIT_INTERNAL_ERROR suberror 1" */
	struct err err;	 /* code ERR_OK when there is none */
};

struct blackbox {
	uint64_t magic;
	uint32_t version, n_vcpus, n_vdevs;
	uint32_t sandbox; /* layers closed: SANDBOX_* of base/sandbox.h */
	char vm[NAME_CAP];
	_Atomic uint32_t state;	       /* enum blackbox_state */
	_Atomic uint32_t ram_pages;    /* of 4 KiB that guest memory took at the last beat */
	_Atomic uint64_t heartbeat;    /* count of beats of the worker's loop */
	_Atomic uint64_t heartbeat_ns; /* time of the last one */
	_Atomic uint64_t started_ns;   /* first guest entry; 0 = not yet */
	_Atomic int32_t forbidden;     /* number of a forbidden system call + 1; 0 = none */
	_Atomic uint32_t wants_dump;   /* a vdev asks for a dump at the end */
	_Atomic uint32_t n_places;     /* rows of the map; may be more than there are */
	_Atomic uint32_t signs;	       /* of life that the guest gave on purpose */
	_Atomic uint64_t exits_head;   /* exits ever recorded; slot = head % BLACKBOX_EXITS */
	_Atomic uint64_t log_head;     /* bytes ever logged */
	_Atomic uint64_t console_head; /* bytes ever printed */
	_Atomic uint64_t typed;	       /* bytes that have ever come to be typed */
	_Atomic uint64_t typed_limit;  /* up to which count the guest has room; it may fall, too */
	struct blackbox_end end;
};

_Static_assert(sizeof(struct blackbox_vcpu) == 1272, "shared between processes");
_Static_assert(sizeof(struct blackbox_vdev) == 112, "shared between processes");
_Static_assert(sizeof(struct blackbox_place) == 64, "shared between processes");
_Static_assert(sizeof(struct blackbox_exit) == 48, "shared between processes");
_Static_assert(offsetof(struct blackbox, vm) == 24, "shared between processes");

/* One mapping of a box: by its writer (fd writable) or by a reader. */
struct blackbox_map {
	struct blackbox *box;
	struct blackbox_vcpu *vcpu;
	struct blackbox_vdev *vdev;
	struct blackbox_place *place;
	struct blackbox_exit *exit;
	char *log, *console;
	uint32_t n_vcpus, n_vdevs; /* checked; the box's own copies are not trusted again */
	size_t bytes;
};

/* Bytes of a box for a machine of that shape. */
size_t blackbox_bytes(uint32_t n_vcpus, uint32_t n_vdevs);
/* A sealed memfd of that size (MFD_CLOEXEC, no shrink, no grow); the caller owns *ret_fd. */
int blackbox_create(const char *vm, uint32_t n_vcpus, uint32_t n_vdevs, int *ret_fd, struct err *e);
/* Map read-write (the worker) or read-only; the fd may be closed afterwards. */
int blackbox_map_writer(int fd, struct blackbox_map *ret, struct err *e);
int blackbox_map_reader(int fd, struct blackbox_map *ret, struct err *e);
void blackbox_unmap(struct blackbox_map *m);

/* Writer. Console and log each have one writer at a time (the caller holds the device's lock). */
void blackbox_console(struct blackbox_map *m, const char *bytes, size_t n);
void blackbox_log(struct blackbox_map *m, const char *line);		   /* a newline is added */
void blackbox_exit(struct blackbox_map *m, const struct blackbox_exit *x); /* any vCPU thread */
/* Append a row of the map, while the machine is assembled; the row, or NULL when the map is full. */
struct blackbox_place *blackbox_place(struct blackbox_map *m, const struct blackbox_place *p);

/*
 * Readers of the rings. *pos is a position in the stream of all bytes ever written; 0 = from the
 * oldest kept. Copies at most cap bytes, moves *pos past them and returns how many; bytes already
 * overwritten are skipped.
 */
size_t blackbox_read_console(const struct blackbox_map *m, uint64_t *pos, char *ret, size_t cap);
size_t blackbox_read_log(const struct blackbox_map *m, uint64_t *pos, char *ret, size_t cap);
/* The last exits, oldest first; returns how many of at most cap. */
size_t blackbox_read_exits(const struct blackbox_map *m, struct blackbox_exit *ret, size_t cap);
/* Bytes that the guest has room for, behind `sent` that have been sent since the worker began. */
uint64_t blackbox_typing_room(const struct blackbox_map *m, uint64_t sent);
/* How it ended: false when the worker did not say. Strings are terminated, the error is sane. */
int blackbox_read_end(const struct blackbox_map *m, struct blackbox_end *ret);
/* Row i of the map: false behind the last. Names are terminated, classes and spaces are sane. */
int blackbox_read_place(const struct blackbox_map *m, uint32_t i, struct blackbox_place *ret);
/* Registers of a vCPU: false while it runs. */
int blackbox_read_regs(const struct blackbox_map *m, uint32_t vcpu, struct blackbox_regs *ret);
