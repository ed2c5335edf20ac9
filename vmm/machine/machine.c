/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"
#include "vmm/boot/image.h"
#include "vmm/conf/board.h"
#include "vmm/machine/hold.h"
#include "vmm/machine/inside.h"
#include "vmm/machine/kvm.h"
#include "vmm/machine/map.h"
#include "vmm/machine/schedule.h"
#include "vmm/machine/vcpu.h"
#include "vmm/vdev/vdev.h"
#include "vmm/x86/counter.h"
#include "vmm/x86/cpuid.h"
#include "vmm/x86/entry.h"
#include "vmm/x86/exits.h"
#include "vmm/x86/irqchip.h"

enum { PHYSICAL_BITS = 52 }; /* the most of the architecture */

void machine_kick(struct machine *m)
{
	for (unsigned i = 0; i < m->n_vcpus; i++)
		vcpu_kick(&m->vcpu[i]);
}

static void kick_all(void *arg)
{
	struct machine *m = arg;

	machine_kick(m);
	gate_open(&m->gate);
	hold_release(&m->hold);
}

/* --- assembly, in the order that starts fastest: memslots before the irqchip --- */

static int add_memory(struct machine *m, int ram_fd, struct err *e)
{
	if (memory_map(&m->memory, m->board->memory, m->board->n_memory, ram_fd, e) < 0 ||
	    memory_install(&m->memory, m->vm_fd, e) < 0)
		return -1;
	for (unsigned i = 0; i < m->memory.n; i++) {
		const struct memory_range *r = &m->memory.range[i];
		struct space_region region = {.base = r->gpa,
					      .last = r->gpa + (r->bytes - 1),
					      .kind = r->is_rom ? SPACE_ROM : SPACE_RAM};

		str_copy(region.name, sizeof region.name, space_kind_id(region.kind));
		if (space_add(&m->space[VDEV_MEM], &region, e) < 0)
			return -1;
	}
	return 0;
}

static int add_regions(struct machine *m, struct vdev *d, struct err *e)
{
	/* A name for a device of KVM has no code of its own. */
	bool is_kernel = !d->class->read && !d->class->write;

	for (unsigned i = 0; i < d->n_regions; i++) {
		const struct vdev_region *from = &d->region[i];
		/* Ports that are passed exit: KVM maps none. */
		bool is_mapped = d->class->is_pass && from->space == VDEV_MEM;
		struct space_region r = {.base = from->base,
					 .last = from->base + from->bytes - 1,
					 .kind = is_mapped   ? SPACE_PASS
						 : is_kernel ? SPACE_KERNEL
							     : SPACE_VDEV,
					 .is_under = from->is_under,
					 .vdev = is_mapped || is_kernel ? NULL : d,
					 .index = i};

		str_copy(r.name, sizeof r.name, d->name);
		if (from->bytes && space_add(&m->space[from->space], &r, e) < 0)
			return -1;
	}
	return 0;
}

static int add_vdev(struct machine *m, unsigned i, struct err *e)
{
	struct vdev *d = m->board->vdev[i];

	d->machine = m;
	d->index = i;
	str_copy(m->box->vdev[i].name, sizeof m->box->vdev[i].name, d->name);
	if (d->class->assemble && d->class->assemble(d, m, e) < 0)
		return err_wrap(e, "assemble vdev '%s' of line %u", d->name, d->line);
	if (add_regions(m, d, e) < 0)
		return err_wrap(e, "vdev '%s' of line %u", d->name, d->line);
	return 0;
}

/* A bus comes behind all that may be on it. */
static int add_vdevs(struct machine *m, struct err *e)
{
	struct board *b = m->board;

	for (int bus = 0; bus < 2; bus++)
		for (unsigned i = 0; i < b->n_vdevs; i++)
			if ((b->vdev[i]->class->route != NULL) == bus && add_vdev(m, i, e) < 0)
				return -1;
	return irqchip_fill(b, &m->space[VDEV_MEM], &m->space[VDEV_IO], e);
}

static int check_counts(const struct machine *m, struct err *e)
{
	if (kvm_check_vcpus(m->board->n_cpus, kvm_extension(m->vm_fd, KVM_CAP_MAX_VCPUS), e) < 0)
		return -1;
	if (m->box->n_vcpus < m->board->n_cpus || m->box->n_vdevs < m->board->n_vdevs)
		return err_set(e, START,
			       "the black box is for %u vCPUs and %u vdevs, the board has "
			       "%u and %u",
			       m->box->n_vcpus, m->box->n_vdevs, m->board->n_cpus,
			       m->board->n_vdevs);
	return 0;
}

static int add_vcpus(struct machine *m, const struct entry *entry, struct err *e)
{
	AUTO_FREE struct kvm_cpuid2 *cpuid = NULL;
	int bytes = kvm_call(m->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, NULL, "tell a vCPU's size", e);

	if (bytes < 0 || cpuid_read(m->kvm_fd, m->board->n_cpus, &cpuid, e) < 0)
		return -1;
	m->vcpu = calloc(m->board->n_cpus, sizeof *m->vcpu);
	if (!m->vcpu)
		abort();
	for (unsigned i = 0; i < m->board->n_cpus; i++) {
		struct vcpu *v = &m->vcpu[m->n_vcpus++];

		if (vcpu_create(v, &m->ground, i, m->vm_fd, (size_t)bytes, e) < 0 ||
		    cpuid_set(cpuid, v->fd, i, e) < 0 || entry_reset(v->fd, i, e) < 0 ||
		    (i == 0 && entry_set(entry, v->fd, e) < 0) ||
		    (m->board->has_counter_offset &&
		     counter_set(v->fd, m->board->counter_offset, e) < 0))
			return err_wrap(e, "vCPU %u", i);
	}
	return 0;
}

static int spawn_vcpus(struct machine *m, struct err *e)
{
	halt_init(&m->halt, m->vcpu, m->n_vcpus, m->box);
	if (vcpu_prepare(e) < 0)
		return -1;
	for (unsigned i = 0; i < m->n_vcpus; i++)
		if (vcpu_spawn(&m->vcpu[i], e) < 0 ||
		    (m->board->cpu &&
		     schedule_apply(&m->board->cpu[i], i, m->vcpu[i].thread, e) < 0))
			return -1;
	/* The final seccomp filter comes next: no thread may still be on its way here. */
	gate_await(&m->gate, m->n_vcpus);
	return 0;
}

/* A deadline that has passed leaves no trace. */
static void on_alarm(void *arg, const struct vdev *d)
{
	atomic_store(&machine_counters(arg, d)->deadline_ns, 0);
}

static int assemble(struct machine *m, int ram_fd, struct err *e)
{
	struct entry entry = {.mode = ENTRY_REAL};

	if (hold_init(&m->hold, m->board->n_cpus, e) < 0 || end_init(&m->end, kick_all, m, e) < 0 ||
	    freeze_init(&m->freeze, e) < 0 || alarm_init(&m->alarm, on_alarm, m, e) < 0 ||
	    kvm_create(m->kvm_fd, &m->vm_fd, e) < 0 || check_counts(m, e) < 0 ||
	    add_memory(m, ram_fd, e) < 0 || exits_choose(m->board, m->vm_fd, e) < 0 ||
	    irqchip_create(m->board, m->vm_fd, &m->space[VDEV_MEM], e) < 0 || add_vdevs(m, e) < 0 ||
	    image_load_board(m->board, &m->memory, &entry, NULL, e) < 0 ||
	    add_vcpus(m, &entry, e) < 0)
		return -1;
	board_close_images(m->board);
	map_draw(m->box, m->board, &m->memory, &m->space[VDEV_MEM], &m->space[VDEV_IO]);
	for (unsigned i = 0; i < m->board->n_vdevs; i++)
		if (m->board->vdev[i]->class->start)
			m->board->vdev[i]->class->start(m->board->vdev[i]);
	return spawn_vcpus(m, e);
}

/* First guest entry: the moment that counts as started. */
static void on_started(void *arg)
{
	struct machine *m = arg;

	atomic_store(&m->box->box->started_ns, clock_mono_ns());
	if (m->started)
		m->started(m->started_arg);
}

int machine_assemble(struct board *b, struct blackbox_map *box, int kvm_fd, int ram_fd,
		     struct machine **ret, struct err *e)
{
	struct machine *m = calloc(1, sizeof *m);

	if (!m)
		abort();
	m->board = b;
	m->box = box;
	m->kvm_fd = kvm_fd;
	m->has_lines = irqchip_is_whole(b);
	m->vm_fd = m->end.fd = m->alarm.fd = m->hold.fd = m->freeze.fd = -1;
	m->space[VDEV_MEM] =
		(struct space){.noun = "memory", .last = (UINT64_C(1) << PHYSICAL_BITS) - 1};
	m->space[VDEV_IO] = (struct space){.noun = "port", .last = 0xffff, .is_bus = true};
	m->ground = (struct vcpu_ground){.memory = &m->space[VDEV_MEM],
					 .port = &m->space[VDEV_IO],
					 .board = b,
					 .box = box,
					 .gate = &m->gate,
					 .end = &m->end,
					 .hold = &m->hold,
					 .started = on_started,
					 .started_arg = m};
	gate_init(&m->gate);
	pthread_mutex_init(&m->console, NULL);
	if (assemble(m, ram_fd, e) < 0) {
		machine_free(m);
		return -1;
	}
	*ret = m;
	return 0;
}

/* After its end. */
static void join_all(struct machine *m)
{
	end_await(&m->end);
	for (unsigned i = 0; i < m->n_vcpus; i++)
		vcpu_join(&m->vcpu[i]);
}

struct machine *machine_free(struct machine *m)
{
	if (!m)
		return NULL;
	/* Threads exist only with a working end; one that never started leaves by it. */
	if (m->end.kick && m->end.fd >= 0) {
		machine_cut(m, CAUSE_POWER_CUT);
		join_all(m);
	}
	for (unsigned i = 0; i < m->board->n_vdevs; i++)
		if (m->board->vdev[i]->class->stop)
			m->board->vdev[i]->class->stop(m->board->vdev[i]);
	halt_destroy(&m->halt);
	for (unsigned i = 0; i < m->n_vcpus; i++)
		vcpu_destroy(&m->vcpu[i]);
	free(m->vcpu);
	if (m->vm_fd >= 0)
		close(m->vm_fd);
	for (unsigned i = 0; i < NELEMS(m->space); i++)
		space_free(&m->space[i]);
	memory_unmap(&m->memory);
	end_destroy(&m->end);
	freeze_destroy(&m->freeze);
	alarm_destroy(&m->alarm);
	hold_destroy(&m->hold);
	pthread_mutex_destroy(&m->console);
	gate_destroy(&m->gate);
	free(m);
	return NULL;
}

/* --- its life --- */

void machine_start(struct machine *m, void (*started)(void *arg), void *arg)
{
	m->started = started;
	m->started_arg = arg;
	gate_open(&m->gate);
}

void machine_beat(struct machine *m)
{
	/* A kick may be lost on a handler that was about to wait in a system call. */
	if (hold_is_wanted(&m->hold) && !hold_is_complete(&m->hold))
		machine_kick(m);
	if (!hold_is_wanted(&m->hold) && halt_beat(&m->halt))
		machine_end_by(m, CAUSE_HALTED, 0, "");
}

int machine_alarm_fd(const struct machine *m)
{
	return m->held_ns ? -1 : m->alarm.fd;
}

void machine_serve_alarms(struct machine *m)
{
	struct machine_end how = {.cause = CAUSE_VDEV_ERROR};

	if (m->held_ns)
		return;
	if (alarm_serve(&m->alarm, m->board->vdev, m->board->n_vdevs, clock_mono_ns(), &how.err) <
	    0)
		end_now(&m->end, &how);
}

bool machine_button(struct machine *m)
{
	bool heard = false;

	for (unsigned i = 0; i < m->board->n_vdevs; i++) {
		struct vdev *d = m->board->vdev[i];

		if (!d->class->button)
			continue;
		pthread_mutex_lock(&d->lock);
		heard |= d->class->button(d);
		pthread_mutex_unlock(&d->lock);
	}
	return heard;
}

void machine_nmi(struct machine *m)
{
	vcpu_nmi(&m->vcpu[0]);
}

size_t machine_input(struct machine *m, const uint8_t *bytes, size_t n)
{
	size_t lost = 0;

	for (unsigned i = 0; i < m->board->n_vdevs; i++)
		if (m->board->vdev[i]->takes_console)
			lost += n - vdev_input(m->board->vdev[i], bytes, n);
	return lost;
}

size_t machine_input_room(struct machine *m)
{
	size_t most = 0;
	bool is_any = false;

	for (unsigned i = 0; i < m->board->n_vdevs; i++) {
		struct vdev *d = m->board->vdev[i];
		size_t room;

		if (!d->takes_console || !d->class->input)
			continue;
		room = vdev_room(d);
		most = room > most ? room : most;
		is_any = true;
	}
	return is_any ? most : SIZE_MAX / 2;
}

void machine_cut(struct machine *m, enum cause cause)
{
	end_now(&m->end, &(struct machine_end){.cause = cause});
}

int machine_end_fd(const struct machine *m)
{
	return m->end.fd;
}

void machine_join(struct machine *m, struct machine_end *ret)
{
	join_all(m);
	end_read(&m->end, ret);
	machine_end_whole(ret);
}
