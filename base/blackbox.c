/* SPDX-License-Identifier: Apache-2.0 */
#include "base/blackbox.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/sealed.h"
#include "base/str.h"

/* The places of the arrays behind the header. */
struct layout {
	size_t vcpu, vdev, place, exit, log, console, bytes;
};

static size_t up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static struct layout layout_of(uint32_t n_vcpus, uint32_t n_vdevs)
{
	struct layout l = {.vcpu = up(sizeof(struct blackbox), 64)};

	l.vdev = up(l.vcpu + n_vcpus * sizeof(struct blackbox_vcpu), 64);
	l.place = up(l.vdev + n_vdevs * sizeof(struct blackbox_vdev), 64);
	l.exit = l.place + BLACKBOX_PLACES * sizeof(struct blackbox_place);
	l.log = up(l.exit + BLACKBOX_EXITS * sizeof(struct blackbox_exit), 4096);
	l.console = l.log + BLACKBOX_LOG;
	l.bytes = l.console + BLACKBOX_CONSOLE;
	return l;
}

size_t blackbox_bytes(uint32_t n_vcpus, uint32_t n_vdevs)
{
	return layout_of(n_vcpus, n_vdevs).bytes;
}

int blackbox_create(const char *vm, uint32_t n_vcpus, uint32_t n_vdevs, int *ret_fd, struct err *e)
{
	AUTO_FD int fd = -1;
	struct blackbox b = {.magic = BLACKBOX_MAGIC,
			     .version = BLACKBOX_VERSION,
			     .n_vcpus = n_vcpus,
			     .n_vdevs = n_vdevs};

	if (n_vcpus == 0 || n_vcpus > BLACKBOX_MAX_VCPUS || n_vdevs > BLACKBOX_MAX_VDEVS)
		return err_set(e, INVALID, "a black box for %u vCPUs and %u vdevs", n_vcpus,
			       n_vdevs);
	str_copy(b.vm, sizeof b.vm, vm);
	fd = sealed_memory("qvm-blackbox", blackbox_bytes(n_vcpus, n_vdevs));
	if (fd < 0 || pwrite(fd, &b, sizeof b, 0) != sizeof b)
		return err_sys(e, RESOURCE, "make the black box of '%s'", vm);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int map(int fd, int prot, struct blackbox_map *ret, struct err *e)
{
	struct blackbox h;
	struct layout l;
	struct stat st;
	char *p;
	int seals = fcntl(fd, F_GET_SEALS);

	if (fstat(fd, &st) < 0 || seals < 0 || (seals & F_SEAL_SHRINK) == 0)
		return err_set(e, PROTOCOL, "this is not a sealed black box");
	if (pread(fd, &h, sizeof h, 0) != sizeof h || h.magic != BLACKBOX_MAGIC ||
	    h.version != BLACKBOX_VERSION || h.n_vcpus == 0 || h.n_vcpus > BLACKBOX_MAX_VCPUS ||
	    h.n_vdevs > BLACKBOX_MAX_VDEVS)
		return err_set(e, PROTOCOL, "a black box of another version or a damaged one");
	l = layout_of(h.n_vcpus, h.n_vdevs);
	if ((uint64_t)st.st_size != l.bytes)
		return err_set(e, PROTOCOL, "a black box of %lld bytes, not %zu",
			       (long long)st.st_size, l.bytes);
	p = mmap(NULL, l.bytes, prot, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return err_sys(e, RESOURCE, "map a black box");
	*ret = (struct blackbox_map){.box = (struct blackbox *)p,
				     .vcpu = (struct blackbox_vcpu *)(p + l.vcpu),
				     .vdev = (struct blackbox_vdev *)(p + l.vdev),
				     .place = (struct blackbox_place *)(p + l.place),
				     .exit = (struct blackbox_exit *)(p + l.exit),
				     .log = p + l.log,
				     .console = p + l.console,
				     .n_vcpus = h.n_vcpus,
				     .n_vdevs = h.n_vdevs,
				     .bytes = l.bytes};
	return 0;
}

int blackbox_map_writer(int fd, struct blackbox_map *ret, struct err *e)
{
	return map(fd, PROT_READ | PROT_WRITE, ret, e);
}

int blackbox_map_reader(int fd, struct blackbox_map *ret, struct err *e)
{
	return map(fd, PROT_READ, ret, e);
}

void blackbox_unmap(struct blackbox_map *m)
{
	if (m->box)
		munmap(m->box, m->bytes);
	*m = (struct blackbox_map){0};
}

static void ring_write(char *ring, size_t cap, _Atomic uint64_t *head, const char *bytes, size_t n)
{
	uint64_t h = atomic_load_explicit(head, memory_order_relaxed);

	for (size_t i = 0; i < n; i++)
		ring[(h + i) & (cap - 1)] = bytes[i];
	atomic_store_explicit(head, h + n, memory_order_release);
}

void blackbox_console(struct blackbox_map *m, const char *bytes, size_t n)
{
	ring_write(m->console, BLACKBOX_CONSOLE, &m->box->console_head, bytes, n);
}

void blackbox_log(struct blackbox_map *m, const char *line)
{
	char text[1024];
	size_t n = strnlen(line, sizeof text - 1);

	memcpy(text, line, n);
	text[n++] = '\n';
	ring_write(m->log, BLACKBOX_LOG, &m->box->log_head, text, n);
}

void blackbox_exit(struct blackbox_map *m, const struct blackbox_exit *x)
{
	uint64_t i = atomic_fetch_add_explicit(&m->box->exits_head, 1, memory_order_relaxed);
	struct blackbox_exit *slot = &m->exit[i & (BLACKBOX_EXITS - 1)];

	atomic_store_explicit(&slot->at_ns, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_release); /* 0 is seen before what follows */
	slot->rip = x->rip;
	slot->address = x->address;
	slot->value = x->value;
	slot->vcpu = x->vcpu;
	slot->reason = x->reason;
	slot->width = x->width;
	slot->is_write = x->is_write;
	slot->answered = x->answered;
	atomic_store_explicit(&slot->at_ns, x->at_ns, memory_order_release);
}

struct blackbox_place *blackbox_place(struct blackbox_map *m, const struct blackbox_place *p)
{
	uint32_t i = atomic_load_explicit(&m->box->n_places, memory_order_relaxed);

	if (i < BLACKBOX_PLACES)
		memcpy(&m->place[i], p, sizeof *p);
	atomic_store_explicit(&m->box->n_places, i + 1, memory_order_release);
	return i < BLACKBOX_PLACES ? &m->place[i] : NULL;
}

static size_t ring_read(const char *ring, size_t cap, const _Atomic uint64_t *head, uint64_t *pos,
			char *ret, size_t room)
{
	uint64_t end = atomic_load_explicit(head, memory_order_acquire), from = *pos, now;
	size_t n, lost;

	if (from > end)
		from = end; /* the box was replaced by a younger one */
	if (end - from > cap)
		from = end - cap;
	n = end - from < room ? (size_t)(end - from) : room;
	for (size_t i = 0; i < n; i++)
		ret[i] = ring[(from + i) & (cap - 1)];
	/* What the writer overtook while we copied is not ours to show. */
	atomic_thread_fence(memory_order_acquire);
	now = atomic_load_explicit(head, memory_order_relaxed);
	lost = now - from > cap ? (size_t)(now - from - cap) : 0;
	if (lost > n)
		lost = n;
	memmove(ret, ret + lost, n - lost);
	*pos = from + n;
	return n - lost;
}

size_t blackbox_read_console(const struct blackbox_map *m, uint64_t *pos, char *ret, size_t cap)
{
	return ring_read(m->console, BLACKBOX_CONSOLE, &m->box->console_head, pos, ret, cap);
}

size_t blackbox_read_log(const struct blackbox_map *m, uint64_t *pos, char *ret, size_t cap)
{
	return ring_read(m->log, BLACKBOX_LOG, &m->box->log_head, pos, ret, cap);
}

size_t blackbox_read_exits(const struct blackbox_map *m, struct blackbox_exit *ret, size_t cap)
{
	uint64_t end = atomic_load_explicit(&m->box->exits_head, memory_order_acquire);
	uint64_t most = cap < BLACKBOX_EXITS ? cap : BLACKBOX_EXITS;
	uint64_t from = end > most ? end - most : 0;
	size_t n = 0;

	for (uint64_t i = from; i < end && n < cap; i++) {
		const struct blackbox_exit *slot = &m->exit[i & (BLACKBOX_EXITS - 1)];
		uint64_t at = atomic_load_explicit(&slot->at_ns, memory_order_acquire);

		memcpy(&ret[n], slot, sizeof ret[n]);
		atomic_thread_fence(memory_order_acquire);
		if (at && at == atomic_load_explicit(&slot->at_ns, memory_order_relaxed))
			n++;
	}
	return n;
}

uint64_t blackbox_typing_room(const struct blackbox_map *m, uint64_t sent)
{
	uint64_t limit = atomic_load(&m->box->typed_limit);

	return limit > sent ? limit - sent : 0;
}

int blackbox_read_end(const struct blackbox_map *m, struct blackbox_end *ret)
{
	if (!atomic_load_explicit(&m->box->end.is_set, memory_order_acquire))
		return 0;
	memcpy(ret, &m->box->end, sizeof *ret);
	ret->detail[sizeof ret->detail - 1] = '\0';
	err_sane(&ret->err);
	return 1;
}

int blackbox_read_place(const struct blackbox_map *m, uint32_t i, struct blackbox_place *ret)
{
	if (i >= BLACKBOX_PLACES ||
	    i >= atomic_load_explicit(&m->box->n_places, memory_order_acquire))
		return 0;
	memcpy(ret, &m->place[i], sizeof *ret);
	ret->name[sizeof ret->name - 1] = '\0';
	ret->space = ret->space > BLACKBOX_SLOT ? BLACKBOX_MEMORY : ret->space;
	ret->class = ret->class > BLACKBOX_KERNEL ? BLACKBOX_KERNEL : ret->class;
	return 1;
}

int blackbox_read_regs(const struct blackbox_map *m, uint32_t vcpu, struct blackbox_regs *ret)
{
	if (vcpu >= m->n_vcpus ||
	    !atomic_load_explicit(&m->vcpu[vcpu].regs_valid, memory_order_acquire))
		return 0;
	memcpy(ret, &m->vcpu[vcpu].regs, sizeof *ret);
	return 1;
}
