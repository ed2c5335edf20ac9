/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/memory.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/str.h"
#include "vmm/conf/board.h"
#include "vmm/machine/kvm.h"

void memory_over(struct memory *m, const struct board_memory *range, unsigned n, uint8_t *bytes)
{
	uint64_t at = 0;

	*m = (struct memory){.range = calloc(n ? n : 1, sizeof *m->range)};
	if (!m->range)
		abort();
	for (unsigned i = 0; i < n; i++) {
		struct memory_range *last = m->n ? &m->range[m->n - 1] : NULL;

		if (last && last->is_rom == range[i].is_rom &&
		    last->gpa + last->bytes == range[i].gpa)
			last->bytes += range[i].bytes;
		else
			m->range[m->n++] = (struct memory_range){range[i].gpa, range[i].bytes,
								 range[i].is_rom, bytes + at};
		at += range[i].bytes;
	}
	m->bytes = at;
}

int memory_map(struct memory *m, const struct board_memory *range, unsigned n, int ram_fd,
	       struct err *e)
{
	int seals = fcntl(ram_fd, F_GET_SEALS);
	uint64_t bytes = 0;
	struct stat st;
	char size[24];
	void *p;

	for (unsigned i = 0; i < n; i++)
		bytes += range[i].bytes;
	if (bytes == 0)
		return err_set(e, START, "the board has no memory: add `ram LENGTH`");
	/* Without the seal whoever else holds the memfd could turn an access into SIGBUS. */
	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(ram_fd, &st) < 0 || st.st_size < 0 ||
	    (uint64_t)st.st_size != bytes)
		return err_set(e, START,
			       "the guest's memory was not granted as a sealed memfd of "
			       "%" PRIu64 " bytes",
			       bytes);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, ram_fd, 0);
	if (p == MAP_FAILED)
		return err_sys(e, START, "map %s of guest memory: does the host have as much?",
			       str_bytes(bytes, size));
	/* A core of the worker need not hold the guest: the guest has its own dump. */
	madvise(p, bytes, MADV_DONTDUMP);
	memory_over(m, range, n, p);
	m->base = p;
	return 0;
}

int memory_install(const struct memory *m, int vm_fd, struct err *e)
{
	int most = kvm_extension(vm_fd, KVM_CAP_NR_MEMSLOTS);

	if (most > 0 && m->n > (unsigned)most)
		return err_set(e, START,
			       "the board has %u separate memory ranges, KVM takes %d: "
			       "join some `ram` or `rom`",
			       m->n, most);
	for (unsigned i = 0; i < m->n; i++) {
		const struct memory_range *r = &m->range[i];
		struct kvm_userspace_memory_region slot = {
			.slot = i,
			.flags = r->is_rom ? KVM_MEM_READONLY : 0,
			.guest_phys_addr = r->gpa,
			.memory_size = r->bytes,
			.userspace_addr = (uintptr_t)r->host,
		};

		if (kvm_call(vm_fd, KVM_SET_USER_MEMORY_REGION, &slot, "take a memory range", e) <
		    0)
			return err_wrap(e, "%s at 0x%" PRIx64 ", 0x%" PRIx64 " bytes",
					r->is_rom ? "rom" : "ram", r->gpa, r->bytes);
	}
	return 0;
}

unsigned memory_slot(struct memory *m)
{
	return m->n + m->n_slots++;
}

int memory_place(int vm_fd, unsigned slot, uint64_t gpa, uint64_t bytes, void *host,
		 bool is_writable, struct err *e)
{
	struct kvm_userspace_memory_region to = {
		.slot = slot,
		.flags = is_writable ? 0 : KVM_MEM_READONLY,
		.guest_phys_addr = gpa,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)host,
	};

	return kvm_call(vm_fd, KVM_SET_USER_MEMORY_REGION, &to, "take a passed-through range", e) <
			       0
		       ? -1
		       : 0;
}

bool memory_ram(const struct memory *m, unsigned i, uint64_t *ret_gpa, uint64_t *ret_bytes,
		void **ret_host)
{
	const struct memory_range *r = m->range;

	for (; r < m->range + m->n; r++)
		if (!r->is_rom && i-- == 0)
			break;
	if (r == m->range + m->n)
		return false;
	*ret_gpa = r->gpa;
	*ret_bytes = r->bytes;
	*ret_host = r->host;
	return true;
}

const struct memory_range *memory_range_of(const struct memory *m, uint64_t gpa)
{
	unsigned low = 0, high = m->n;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;
		const struct memory_range *r = &m->range[mid];

		if (gpa < r->gpa)
			high = mid;
		else if (gpa - r->gpa >= r->bytes)
			low = mid + 1;
		else
			return r;
	}
	return NULL;
}

void *memory_at(const struct memory *m, uint64_t gpa, uint64_t bytes)
{
	const struct memory_range *r = memory_range_of(m, gpa);

	if (!r || bytes > r->bytes - (gpa - r->gpa))
		return NULL;
	return r->host + (gpa - r->gpa);
}

void memory_unmap(struct memory *m)
{
	if (m->base)
		munmap(m->base, m->bytes);
	free(m->range);
	*m = (struct memory){0};
}
