/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine/schedule.h"

#include <sched.h>
#include <sys/resource.h>

#include "base/auto.h"
#include "base/cpulist.h"
#include "base/log.h"
#include "vmm/conf/board.h"

static const char *policy_name(int policy)
{
	return policy == SCHED_RR     ? "SCHED_RR"
	       : policy == SCHED_FIFO ? "SCHED_FIFO"
				      : "SCHED_OTHER";
}

static int not_permitted(const struct board_cpu *c, unsigned index, struct err *e)
{
	return err_set(e, RESOURCE,
		       "vCPU %u (line %u): this host does not permit the real-time priority "
		       "%u: under qvmd raise `max-priority` in qvmd.conf; from a shell raise "
		       "the limit (ulimit -r %u, or rtprio in limits.conf)",
		       index, c->line, c->priority, c->priority);
}

static int set_policy(const struct board_cpu *c, unsigned index, pthread_t thread, struct err *e)
{
	static const int policy[] = {SCHED_OTHER, SCHED_RR, SCHED_FIFO, SCHED_OTHER};
	struct sched_param param = {.sched_priority = (int)c->priority};

	errno = pthread_setschedparam(thread, policy[c->sched], &param);
	if (errno == 0)
		return 0;
	if (errno == EPERM)
		return not_permitted(c, index, e);
	return err_sys(e, RESOURCE, "vCPU %u (line %u): set %s priority %u", index, c->line,
		       policy_name(policy[c->sched]), c->priority);
}

static int pin(const struct board_cpu *c, unsigned index, pthread_t thread, struct err *e)
{
	char list[200];
	cpu_set_t there, missing;

	errno = pthread_setaffinity_np(thread, sizeof c->host, &c->host);
	/* The kernel takes those that are there and says nothing of the others. */
	if (errno == 0 && (errno = pthread_getaffinity_np(thread, sizeof there, &there)) == 0) {
		CPU_XOR(&missing, &there, &c->host);
		if (CPU_COUNT(&missing) == 0)
			return 0;
		return err_set(e, RESOURCE,
			       "vCPU %u (line %u): its host CPUs %s are not there, or not left to "
			       "this process: see `nproc --all` and `taskset -p $$`",
			       index, c->line, cpulist_write(&missing, list, sizeof list));
	}
	cpulist_write(&c->host, list, sizeof list);
	if (errno == EINVAL)
		return err_set(e, RESOURCE,
			       "vCPU %u (line %u): none of the host CPUs %s is there, or none is "
			       "left to this process: see `nproc --all` and `taskset -p $$`",
			       index, c->line, list);
	return err_sys(e, RESOURCE, "vCPU %u (line %u): pin it to host CPUs %s", index, c->line,
		       list);
}

int schedule_raise_limit(unsigned priority)
{
	struct rlimit to = {priority, priority}, now;

	if (getrlimit(RLIMIT_RTPRIO, &now) == 0 && now.rlim_cur >= priority)
		return 0;
	return setrlimit(RLIMIT_RTPRIO, &to);
}

int schedule_probe(const struct board_cpu *c, unsigned index, struct err *e)
{
	pthread_t self = pthread_self();
	cpu_set_t before;
	int r;

	if (schedule_raise_limit(c->priority) < 0)
		return not_permitted(c, index, e);
	if (!c->is_pinned)
		return 0;
	errno = pthread_getaffinity_np(self, sizeof before, &before);
	if (errno)
		return err_sys(e, RESOURCE, "ask on which host CPUs this process may run");
	r = pin(c, index, self, e);
	pthread_setaffinity_np(self, sizeof before, &before);
	return r;
}

int schedule_apply(const struct board_cpu *c, unsigned index, pthread_t thread, struct err *e)
{
	struct sched_param param = {0};
	char list[200] = "";
	cpu_set_t set;
	int policy = 0;

	if (c->sched == BOARD_SCHED_HOST && !c->is_pinned)
		return 0;
	if (c->sched != BOARD_SCHED_HOST && set_policy(c, index, thread, e) < 0)
		return -1;
	if (c->is_pinned && pin(c, index, thread, e) < 0)
		return -1;
	if (pthread_getschedparam(thread, &policy, &param) == 0 &&
	    pthread_getaffinity_np(thread, sizeof set, &set) == 0)
		log_info(NULL, "vCPU %u runs as %s priority %d on host CPUs %s", index,
			 policy_name(policy), param.sched_priority,
			 cpulist_write(&set, list, sizeof list));
	return 0;
}
