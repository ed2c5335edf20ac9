/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/dump/elfcore.h"

#include <elf.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/blackbox.h"

enum { PAGE = 4096, CHUNK = 256 * PAGE };

/* The note of QEMU's dumps that crash knows; layout of version 1. */
struct qemu_segment {
	uint32_t selector, limit, flags, pad;
	uint64_t base;
};

struct qemu_cpu {
	uint32_t version, size;
	uint64_t gpr[18]; /* rax rbx rcx rdx rsi rdi rsp rbp r8 to r15 rip rflags */
	struct qemu_segment cs, ds, es, fs, gs, ss, ldt, tr, gdt, idt;
	uint64_t cr[5], kernel_gs_base;
};
_Static_assert(sizeof(struct qemu_cpu) == 440, "read by others");

struct note_head {
	Elf64_Nhdr elf;
	char name[8];
};

/* What each vCPU takes. */
enum {
	NOTES_BYTES = 3 * sizeof(struct note_head) + sizeof(struct elf_prstatus) + 512 +
		      sizeof(struct qemu_cpu)
};
_Static_assert(sizeof(struct note_head) == 20 && sizeof(struct elf_prstatus) == 336,
	       "read by others");

struct range {
	uint64_t gpa, bytes, offset;
};

struct sink {
	int fd;
	bool is_file;
	uint64_t at;
};

static int put(struct sink *s, const void *bytes, size_t n, struct err *e)
{
	const char *p = bytes;

	while (n) {
		ssize_t w = s->is_file ? pwrite(s->fd, p, n, (off_t)s->at) : write(s->fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_sys(e, RESOURCE, "write the dump at byte %" PRIu64, s->at);
		p += w;
		n -= (size_t)w;
		s->at += (uint64_t)w;
	}
	return 0;
}

static int put_zeros(struct sink *s, uint64_t n, struct err *e)
{
	static const char zeros[PAGE];

	if (s->is_file) {
		s->at += n;
		return 0;
	}
	for (; n; n -= n < PAGE ? n : PAGE)
		if (put(s, zeros, n < PAGE ? n : PAGE, e) < 0)
			return -1;
	return 0;
}

/* --- notes --- */

static int put_note(struct sink *s, const char *who, uint32_t type, const void *body, size_t bytes,
		    struct err *e)
{
	struct note_head h = {{(Elf64_Word)strlen(who) + 1, (Elf64_Word)bytes, type}, ""};

	memcpy(h.name, who, strlen(who));
	return put(s, &h, sizeof h, e) < 0 ? -1 : put(s, body, bytes, e);
}

static struct qemu_segment qemu_segment(const struct blackbox_segment *s)
{
	return (struct qemu_segment){.selector = s->selector,
				     .limit = s->limit,
				     .flags = (uint32_t)s->flags << 8,
				     .base = s->base};
}

static void fill_status(struct elf_prstatus *p, const struct blackbox_regs *r, unsigned vcpu)
{
	struct user_regs_struct u = {
		.r15 = r->r15,
		.r14 = r->r14,
		.r13 = r->r13,
		.r12 = r->r12,
		.rbp = r->rbp,
		.rbx = r->rbx,
		.r11 = r->r11,
		.r10 = r->r10,
		.r9 = r->r9,
		.r8 = r->r8,
		.rax = r->rax,
		.rcx = r->rcx,
		.rdx = r->rdx,
		.rsi = r->rsi,
		.rdi = r->rdi,
		.orig_rax = UINT64_MAX, /* not in a system call */
		.rip = r->rip,
		.cs = r->cs.selector,
		.eflags = r->rflags,
		.rsp = r->rsp,
		.ss = r->ss.selector,
		.fs_base = r->fs.base,
		.gs_base = r->gs.base,
		.ds = r->ds.selector,
		.es = r->es.selector,
		.fs = r->fs.selector,
		.gs = r->gs.selector,
	};

	_Static_assert(sizeof u == sizeof p->pr_reg, "the same registers");
	p->pr_pid = (int)vcpu + 1; /* a thread's id to gdb, where 0 is none */
	p->pr_fpvalid = 1;
	memcpy(p->pr_reg, &u, sizeof u);
}

static void fill_qemu(struct qemu_cpu *q, const struct blackbox_regs *r)
{
	*q = (struct qemu_cpu){
		.version = 1,
		.size = sizeof *q,
		.gpr = {r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rsp, r->rbp, r->r8,
			r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->rip, r->rflags},
		.cs = qemu_segment(&r->cs),
		.ds = qemu_segment(&r->ds),
		.es = qemu_segment(&r->es),
		.fs = qemu_segment(&r->fs),
		.gs = qemu_segment(&r->gs),
		.ss = qemu_segment(&r->ss),
		.ldt = qemu_segment(&r->ldt),
		.tr = qemu_segment(&r->tr),
		.gdt = qemu_segment(&r->gdt),
		.idt = qemu_segment(&r->idt),
		.cr = {r->cr0, 0, r->cr2, r->cr3, r->cr4},
		.kernel_gs_base = r->kernel_gs_base,
	};
}

static int put_notes(struct sink *s, const struct blackbox_map *box, struct err *e)
{
	for (uint32_t i = 0; i < box->n_vcpus; i++) {
		struct blackbox_regs r = {0};
		struct elf_prstatus status = {0};
		struct qemu_cpu qemu;

		if (!blackbox_read_regs(box, i, &r))
			r = (struct blackbox_regs){.rip = atomic_load(&box->vcpu[i].last_rip)};
		fill_status(&status, &r, i);
		fill_qemu(&qemu, &r);
		if (put_note(s, "CORE", NT_PRSTATUS, &status, sizeof status, e) < 0 ||
		    put_note(s, "CORE", NT_FPREGSET, r.fpu, sizeof r.fpu, e) < 0 ||
		    put_note(s, "QEMU", 0, &qemu, sizeof qemu, e) < 0)
			return -1;
	}
	return 0;
}

/* --- memory --- */

/* The ranges of the map, as far as the memfd can hold them; ERR_PROTOCOL for any that it cannot. */
static int read_ranges(const struct blackbox_map *box, uint64_t ram_bytes, struct range *ret,
		       uint32_t *ret_n, struct err *e)
{
	struct blackbox_place p;
	uint64_t sum = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; blackbox_read_place(box, i, &p); i++) {
		uint64_t gpa = atomic_load(&p.base);

		if (p.space != BLACKBOX_MEMORY || p.class > BLACKBOX_ROM)
			continue;
		if (p.bytes == 0 || p.bytes > ram_bytes - sum || p.offset > ram_bytes - p.bytes ||
		    gpa > UINT64_MAX - p.bytes || (gpa | p.bytes | p.offset) % PAGE)
			return err_set(e, PROTOCOL,
				       "the black box tells of %" PRIu64 " bytes at 0x%" PRIx64
				       ", which the guest's memory cannot hold",
				       p.bytes, gpa);
		ret[n++] = (struct range){gpa, p.bytes, p.offset};
		sum += p.bytes;
	}
	*ret_n = n;
	return n ? 0
		 : err_set(e, PROTOCOL,
			   "the black box tells of no memory: the VM was never assembled");
}

static bool is_zero(const char *page)
{
	return page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0;
}

static int put_pages(struct sink *s, const char *bytes, size_t n, struct err *e)
{
	for (size_t at = 0; at < n;) {
		bool zero = is_zero(bytes + at);
		size_t to = at + PAGE;

		while (to < n && is_zero(bytes + to) == zero)
			to += PAGE;
		if ((zero ? put_zeros(s, to - at, e) : put(s, bytes + at, to - at, e)) < 0)
			return -1;
		at = to;
	}
	return 0;
}

/* What the guest never touched is a hole of the memfd: it is not even read. */
static int put_range(struct sink *s, const struct range *r, int ram_fd, char *chunk, struct err *e)
{
	uint64_t at = r->offset, end = r->offset + r->bytes;

	while (at < end) {
		off_t data = lseek(ram_fd, (off_t)at, SEEK_DATA);
		uint64_t from = data < 0 || (uint64_t)data > end ? end : (uint64_t)data;
		size_t n;

		if (data < 0 && errno != ENXIO)
			from = at; /* a filesystem without holes */
		from -= from % PAGE;
		if (put_zeros(s, from - at, e) < 0)
			return -1;
		n = end - from < CHUNK ? (size_t)(end - from) : CHUNK;
		if (n && pread(ram_fd, chunk, n, (off_t)from) != (ssize_t)n)
			return err_sys(e, RESOURCE, "read the guest's memory at 0x%" PRIx64,
				       r->gpa + (from - r->offset));
		if (put_pages(s, chunk, n, e) < 0)
			return -1;
		at = from + n;
	}
	return 0;
}

/* --- the whole --- */

static int put_headers(struct sink *s, const struct range *r, uint32_t n, uint64_t note_bytes,
		       struct err *e)
{
	uint64_t at = sizeof(Elf64_Ehdr) + (n + 1) * sizeof(Elf64_Phdr);
	Elf64_Ehdr h = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT,
			    ELFOSABI_NONE},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof h,
		.e_ehsize = sizeof h,
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)(n + 1), /* at most BLACKBOX_PLACES */
	};
	Elf64_Phdr p = {.p_type = PT_NOTE, .p_offset = at, .p_filesz = note_bytes, .p_align = 4};

	if (put(s, &h, sizeof h, e) < 0 || put(s, &p, sizeof p, e) < 0)
		return -1;
	at = (at + note_bytes + PAGE - 1) / PAGE * PAGE;
	for (uint32_t i = 0; i < n; i++) {
		p = (Elf64_Phdr){.p_type = PT_LOAD,
				 .p_flags = PF_R | PF_W | PF_X,
				 .p_offset = at,
				 .p_vaddr = r[i].gpa,
				 .p_paddr = r[i].gpa,
				 .p_filesz = r[i].bytes,
				 .p_memsz = r[i].bytes,
				 .p_align = PAGE};
		if (put(s, &p, sizeof p, e) < 0)
			return -1;
		at += r[i].bytes;
	}
	return 0;
}

int elfcore_write(const struct blackbox_map *box, int ram_fd, int out_fd, uint64_t *ret_bytes,
		  struct err *e)
{
	AUTO_FREE struct range *r = calloc(BLACKBOX_PLACES, sizeof *r);
	AUTO_FREE char *chunk = malloc(CHUNK);
	struct sink s = {.fd = out_fd};
	struct stat ram, out;
	uint32_t n = 0;

	if (!r || !chunk)
		abort();
	if (fstat(ram_fd, &ram) < 0 || fstat(out_fd, &out) < 0)
		return err_sys(e, RESOURCE, "look at the dump's descriptors");
	s.is_file = S_ISREG(out.st_mode);
	if (read_ranges(box, (uint64_t)ram.st_size, r, &n, e) < 0 ||
	    put_headers(&s, r, n, (uint64_t)box->n_vcpus * NOTES_BYTES, e) < 0 ||
	    put_notes(&s, box, e) < 0 || put_zeros(&s, (PAGE - s.at % PAGE) % PAGE, e) < 0)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		if (put_range(&s, &r[i], ram_fd, chunk, e) < 0)
			return -1;
	if (s.is_file && ftruncate(out_fd, (off_t)s.at) < 0)
		return err_sys(e, RESOURCE, "give the dump its length of %" PRIu64 " bytes", s.at);
	*ret_bytes = s.at;
	return 0;
}
