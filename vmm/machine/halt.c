/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/halt.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/blackbox.h"
#include "vmm/machine/kvm.h"
#include "vmm/machine/vcpu.h"

enum { RFLAGS_IF = 1 << 9, MOST_COUNTERS = 1024, MOST_NAME = 256 };

/* Offset of a counter in the data block; false when this kernel does not count it. */
static bool find(int fd, const struct kvm_stats_header *h, const char *name, uint64_t *ret)
{
	union {
		struct kvm_stats_desc desc;
		char bytes[sizeof(struct kvm_stats_desc) + MOST_NAME];
	} row;
	size_t size = sizeof row.desc + h->name_size;

	if (h->name_size > MOST_NAME || h->num_desc > MOST_COUNTERS)
		return false;
	for (uint32_t i = 0; i < h->num_desc; i++) {
		if (pread(fd, &row, size, (off_t)(h->desc_offset + i * size)) != (ssize_t)size)
			return false;
		if (!strncmp(row.desc.name, name, h->name_size)) {
			*ret = h->data_offset + row.desc.offset;
			return true;
		}
	}
	return false;
}

void halt_init(struct halt *h, struct vcpu *vcpu, unsigned n, struct blackbox_map *box)
{
	struct kvm_stats_header header;

	*h = (struct halt){.vcpu = vcpu, .n = n, .box = box, .stats_fd = calloc(n, sizeof(int))};
	if (!h->stats_fd)
		abort();
	for (unsigned i = 0; i < n; i++)
		h->stats_fd[i] = ioctl(vcpu[i].fd, KVM_GET_STATS_FD, NULL);
	for (unsigned i = 0; i < n; i++)
		if (h->stats_fd[i] < 0)
			goto without;
	if (pread(h->stats_fd[0], &header, sizeof header, 0) == sizeof header &&
	    find(h->stats_fd[0], &header, "blocking", &h->blocking_at) &&
	    find(h->stats_fd[0], &header, "halt_exits", &h->halts_at))
		return;
without:
	halt_destroy(h);
}

void halt_destroy(struct halt *h)
{
	for (unsigned i = 0; h->stats_fd && i < h->n; i++)
		if (h->stats_fd[i] >= 0)
			close(h->stats_fd[i]);
	free(TAKE(h->stats_fd));
}

static uint64_t counter(int fd, uint64_t at)
{
	uint64_t value = 0;

	return pread(fd, &value, sizeof value, (off_t)at) == sizeof value ? value : 0;
}

static void show(const struct halt *h, unsigned i, bool sleeps)
{
	uint32_t from = sleeps ? BLACKBOX_VCPU_GUEST : BLACKBOX_VCPU_HALTED;

	atomic_compare_exchange_strong(&h->box->vcpu[i].state, &from,
				       sleeps ? BLACKBOX_VCPU_HALTED : BLACKBOX_VCPU_GUEST);
}

bool halt_beat(struct halt *h)
{
	uint64_t halts = 0;
	bool all_sleep = true, all_dead = true, is_asking = false;

	if (!h->stats_fd)
		return false;
	for (unsigned i = 0; i < h->n; i++) {
		bool sleeps = counter(h->stats_fd[i], h->blocking_at) != 0;

		show(h, i, sleeps);
		all_sleep = all_sleep && sleeps;
		all_dead = all_dead && atomic_load(&h->vcpu[i].is_dead_end);
		is_asking = is_asking || atomic_load(&h->vcpu[i].is_probed);
		halts += counter(h->stats_fd[i], h->halts_at);
	}
	if (!all_sleep || halts != h->halts)
		h->stage = all_sleep ? HALT_ASLEEP : HALT_AWAKE;
	else if (h->stage == HALT_AWAKE)
		h->stage = HALT_ASLEEP;
	else if (h->stage == HALT_ASLEEP) {
		for (unsigned i = 0; i < h->n; i++)
			vcpu_probe(&h->vcpu[i]);
		h->stage = HALT_ASKED;
	} else if (h->stage == HALT_ASKED && !is_asking) {
		h->stage = HALT_ANSWERED;
		return all_dead;
	}
	h->halts = halts;
	return false;
}

bool halt_is_for_good(int vcpu_fd)
{
	struct kvm_vcpu_events ev;
	struct kvm_mp_state mp;
	struct kvm_regs g;

	if (ioctl(vcpu_fd, KVM_GET_MP_STATE, &mp) < 0)
		return false;
	if (mp.mp_state == KVM_MP_STATE_UNINITIALIZED)
		return true;
	return mp.mp_state == KVM_MP_STATE_HALTED && ioctl(vcpu_fd, KVM_GET_REGS, &g) == 0 &&
	       !(g.rflags & RFLAGS_IF) && ioctl(vcpu_fd, KVM_GET_VCPU_EVENTS, &ev) == 0 &&
	       !ev.nmi.pending && !ev.nmi.injected;
}
