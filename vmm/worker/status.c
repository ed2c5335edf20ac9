/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/blackbox.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "schemas/exit_reason.h"
#include "vmm/conf/board.h"
#include "vmm/vdev/vdev.h"

enum { TEXT = 512 };

static const char *vcpu_state_id(uint32_t state)
{
	static const char *const id[] = {
		[BLACKBOX_VCPU_OFF] = "off",	     [BLACKBOX_VCPU_GUEST] = "in the guest",
		[BLACKBOX_VCPU_EXIT] = "in an exit", [BLACKBOX_VCPU_HALTED] = "halted",
		[BLACKBOX_VCPU_HELD] = "held",
	};

	return state < NELEMS(id) ? id[state] : "?";
}

static void log_vcpu(const struct blackbox_vcpu *v, unsigned i, uint64_t now_ns)
{
	uint64_t since = atomic_load(&v->since_ns);
	char text[TEXT];
	size_t n = 0;

	text[0] = '\0';
	for (unsigned r = 0; r < BLACKBOX_REASONS; r++) {
		uint64_t count = atomic_load(&v->exits[r]);

		if (count)
			str_add(text, sizeof text, &n, " %s %" PRIu64, exit_reason_id(r), count);
	}
	log_info(NULL, "vcpu %u: %s for %" PRIu64 " ms, rip 0x%" PRIx64 ", exits:%s", i,
		 vcpu_state_id(atomic_load(&v->state)),
		 since && now_ns > since ? (now_ns - since) / 1000000 : 0,
		 atomic_load(&v->last_rip), n ? text : " none");
}

/* ", next deadline in N ms" of a vdev that has one, or "". */
static const char *deadline(struct vdev *d, uint64_t now_ns, char ret[static TEXT])
{
	uint64_t at_ns;

	pthread_mutex_lock(&d->lock);
	at_ns = d->alarm_ns;
	pthread_mutex_unlock(&d->lock);
	ret[0] = '\0';
	if (at_ns)
		snprintf(ret, TEXT, ", next deadline in %" PRIu64 " ms",
			 at_ns > now_ns ? (at_ns - now_ns) / 1000000 : 0);
	return ret;
}

/* What a vdev has to say of itself. Bytes of a shared object: for a log. */
static void log_own(struct vdev *d)
{
	char text[TEXT];

	if (!d->class->status)
		return;
	pthread_mutex_lock(&d->lock);
	d->class->status(d, text, sizeof text);
	pthread_mutex_unlock(&d->lock);
	str_printable(text, strlen(text));
	vdev_info(d, "vdev %s: %s", d->name, text);
}

void status_log(const struct board *b, const struct blackbox_map *box)
{
	uint64_t now_ns = clock_mono_ns(), started_ns = atomic_load(&box->box->started_ns);
	char text[TEXT];

	log_info(NULL,
		 "status of '%s': guest started %" PRIu64 " ms ago, %" PRIu64 " bytes printed",
		 box->box->vm, started_ns ? (now_ns - started_ns) / 1000000 : 0,
		 atomic_load(&box->box->console_head));
	for (unsigned i = 0; i < box->n_vcpus; i++)
		log_vcpu(&box->vcpu[i], i, now_ns);
	for (unsigned i = 0; i < box->n_vdevs; i++) {
		const struct blackbox_vdev *v = &box->vdev[i];

		if (b->vdev[i]->is_unreported)
			continue;
		vdev_info(b->vdev[i],
			  "vdev %s: %" PRIu64 " reads, %" PRIu64 " writes, %" PRIu64
			  " interrupts, %" PRIu64 " bytes in, %" PRIu64 " bytes out, %" PRIu64
			  " errors, %" PRIu64 " drops%s",
			  v->name, atomic_load(&v->reads), atomic_load(&v->writes),
			  atomic_load(&v->interrupts), atomic_load(&v->bytes_in),
			  atomic_load(&v->bytes_out), atomic_load(&v->errors),
			  atomic_load(&v->drops), deadline(b->vdev[i], now_ns, text));
		log_own(b->vdev[i]);
	}
}
