/* SPDX-License-Identifier: Apache-2.0 */
/* stand.c - a machine that stands still: in a hold, for a time, or frozen by a fault, for good. */
#include "base/clock.h"
#include "vmm/conf/board.h"
#include "vmm/machine/inside.h"
#include "vmm/vdev/vdev.h"

void machine_hold(struct machine *m)
{
	if (!m->held_ns)
		m->held_ns = clock_mono_ns();
	hold_want(&m->hold);
	machine_kick(m);
	if (end_is_near(&m->end)) /* it came first, and released a hold that was not there yet */
		hold_release(&m->hold);
}

bool machine_is_held(struct machine *m)
{
	return m->held_ns && hold_is_complete(&m->hold);
}

int machine_hold_fd(const struct machine *m)
{
	return m->hold.fd;
}

void machine_release(struct machine *m)
{
	uint64_t held_ns = clock_mono_ns() - m->held_ns;

	if (!m->held_ns)
		return;
	m->held_ns = 0;
	for (unsigned i = 0; i < m->board->n_vdevs; i++) {
		struct vdev *d = m->board->vdev[i];

		pthread_mutex_lock(&d->lock);
		if (d->alarm_ns)
			machine_alarm(m, d, d->alarm_ns + held_ns);
		pthread_mutex_unlock(&d->lock);
	}
	hold_release(&m->hold);
}

static bool freeze(void *arg, const struct machine_end *how)
{
	struct machine *m = arg;
	enum freeze_answer answer = freeze_judge(&m->freeze, how);

	if (answer != FREEZE_FIRST)
		return answer == FREEZE_AGAIN;
	hold_want(&m->hold);
	machine_kick(m);
	if (end_is_near(&m->end)) /* as in machine_hold() */
		hold_release(&m->hold);
	freeze_tell(&m->freeze);
	return true;
}

void machine_end_whole(struct machine_end *how)
{
	int exit_code = how->exit_code == 0 ? cause_exit(how->cause) : 0;

	if (exit_code > 0)
		how->exit_code = (uint32_t)exit_code;
}

void machine_freeze(struct machine *m, uint32_t classes)
{
	m->freeze.classes = classes;
	m->end.freeze = freeze;
}

int machine_fault_fd(const struct machine *m)
{
	return m->freeze.fd;
}

void machine_fault(struct machine *m, struct machine_end *ret)
{
	*ret = m->freeze.how;
	machine_end_whole(ret);
	machine_hold(m);
}
