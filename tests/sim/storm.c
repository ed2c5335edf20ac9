/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/storm.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/vm/life.h"
#include "daemon/vm/pair.h"
#include "daemon/store/operation.h"
#include "daemon/worker/worker.h"
#include "schemas/op.h"
#include "tests/sim/world.h"

enum { DISKS = 3 };
enum { VMS = 5, BUDGET_MAX = 4, LIVES = 400 /* steps of one world */ };

static uint64_t state;

/* xorshift64*: the same storm for the same seed, everywhere. */
static uint64_t dice(uint64_t sides)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * UINT64_C(2685821657736338717) >> 33) % sides;
}

static void silent(const struct log_line *l)
{
	WORLD_MUST(strncmp(l->text, "defect", 6) != 0);
}

/* Those of a lower number only: a definition with a cycle does not come so far. */
static void wait_for_some(struct policy *p, const char *name)
{
	const struct policy_field *f = policy_find("after");
	char text[32] = "";
	size_t n = 0;
	struct err e;

	for (char i = '0'; i < name[2]; i++)
		if (dice(3) == 0)
			str_add(text, sizeof text, &n, "%svm%c", n ? " " : "", i);
	WORLD_MUST(policy_set_text(p, f, text, &e) == 0);
	p->start_order = (int64_t)dice(3);
	p->start_delay_ms = (int64_t)(dice(2) * dice(500));
}

/* vm3 and vm4 stand in for vm0 and vm1, mostly. */
static void have_standby(struct policy *p, const char *name)
{
	int64_t *const reaction[] = {&p->on_poweroff, &p->on_reboot, &p->on_watchdog,
				     &p->on_failure};

	if (name[2] < '2' && dice(4))
		snprintf(p->standby, sizeof p->standby, "vm%c", name[2] + 3);
	p->standby_warm = p->standby[0] && dice(2);
	for (size_t i = 0; i < NELEMS(reaction) && !p->standby[0]; i++)
		if (*reaction[i] == REACTION_STANDBY)
			*reaction[i] = REACTION_RESTART;
}

/* Refused = nothing changed. */
static void check_refusal(const struct vm *v, const struct record *before, const struct err *e)
{
	WORLD_MUST(e->code == ERR_CONFLICT || e->code == ERR_STORE || e->code == ERR_HOST);
	WORLD_MUST(e->code != ERR_HOST || world.d.hostsafe.reason != GROUND_HOLDS);
	WORLD_MUST(e->code != ERR_STORE || world.is_disk_full);
	WORLD_MUST(!memcmp(before, &v->row, sizeof *before));
}

static void change_roles(struct vm *v)
{
	struct operation o = {.op = dice(2) ? OP_vm_takeover : OP_vm_give_back,
			      .request = dice(1u << 30)};
	struct record before = v->row;
	int64_t id;
	struct err e;
	int r = o.op == OP_vm_takeover ? pair_take_over(&world.d, v, &o, &id, &e)
				       : pair_give_back(&world.d, v, &o, &id, &e);

	if (r == 0)
		return;
	check_refusal(v, &before, &e);
}

static void define(const char *name)
{
	struct policy p = policy_default();

	p.autostart = (int64_t)dice(2);
	p.on_poweroff = (int64_t)dice(REACTION_COUNT);
	p.on_reboot = (int64_t)dice(REACTION_COUNT);
	p.on_watchdog = (int64_t)dice(REACTION_COUNT);
	p.on_failure = (int64_t)dice(REACTION_COUNT);
	p.restart_budget = (int64_t)dice(BUDGET_MAX + 1);
	p.restart_window_ms = 1000 + (int64_t)dice(20000);
	p.restart_delay_ms = (int64_t)dice(3000);
	p.stop_timeout_ms = 100 + (int64_t)dice(3000);
	p.start_timeout_ms = 100 + (int64_t)dice(3000);
	wait_for_some(&p, name);
	have_standby(&p, name);
	world_define(name, &p);
}

static void command(struct vm *v)
{
	static const struct {
		enum vm_event event;
		enum op_id op;
	} verbs[] = {{VM_EVENT_START, OP_vm_start},    {VM_EVENT_START, OP_vm_start},
		     {VM_EVENT_STOP, OP_vm_stop},      {VM_EVENT_KILL, OP_vm_kill},
		     {VM_EVENT_PAUSE, OP_vm_pause},    {VM_EVENT_PAUSE, OP_vm_pause},
		     {VM_EVENT_RESUME, OP_vm_resume},  {VM_EVENT_RESET_BUDGET, OP_vm_reset_budget},
		     {VM_EVENT_RELEASE, OP_vm_release}};
	static const enum vm_event stopping[] = {VM_EVENT_STOP, VM_EVENT_KILL, VM_EVENT_RELEASE};
	size_t i = dice(NELEMS(verbs));
	struct operation o = {.op = verbs[i].op, .request = dice(1u << 30)};
	struct record before = v->row;
	int64_t id;
	struct err e;

	if (life_command(&world.d, v, verbs[i].event, &o, &id, &e) == 0) {
		for (size_t k = 0; k < NELEMS(stopping); k++)
			if (verbs[i].event == stopping[k])
				WORLD_MUST(v->row.desired == DESIRED_STOPPED &&
					   (!v->row.restart_at_ms || !pair_is_active(v)));
		return;
	}
	check_refusal(v, &before, &e);
}

/* Two VMs want each disk. Whose worker has it, until its process is gone? */
static struct worker *owner_of(const struct worker *w)
{
	for (unsigned i = 0; i < world.n_workers; i++) {
		struct worker *other = world.worker[i];

		if (other != w && other->phase >= WORKER_RUNS &&
		    other->vm[2] % DISKS == w->vm[2] % DISKS)
			return other;
	}
	return NULL;
}

static struct err refusal_of(const struct worker *w, bool is_stale)
{
	struct err e = {0};

	if (is_stale)
		err_set(&e, STALE, "its disk is another file now");
	else if (owner_of(w))
		err_set(&e, RESOURCE, "its disk is in use");
	return e;
}

/* What is refused of a plan ends its worker, as grant.c does; one that is held ready asks late. */
static void start_worker(struct worker *w, bool is_stale)
{
	struct err why = refusal_of(w, is_stale);

	if (world_worker_claims(w, why.code ? &why : NULL))
		return;
	if (owner_of(w) && w->phase < WORKER_ENTERS && !w->is_held_back)
		worker_fence(w, CAUSE_RESOURCE, NULL);
	else
		world_worker_starts(w);
}

static void stir_worker(struct worker *w)
{
	static const enum cause says[] = {
		CAUSE_POWEROFF,	    CAUSE_REBOOT,	CAUSE_WATCHDOG,	     CAUSE_TRIPLE_FAULT,
		CAUSE_START_FAILED, CAUSE_VDEV_ERROR,	CAUSE_KILLED,	     CAUSE_NONE,
		CAUSE_POWER_CUT,    CAUSE_WORKER_ERROR, CAUSE_HOST_SHUTDOWN,
	};

	switch (dice(9)) {
	case 0:
		if (!world_worker_faults(w, says[dice(NELEMS(says))]))
			world_worker_says(w, says[dice(NELEMS(says))]);
		break;
	case 1: world_worker_dies(w, dice(2) ? SIGSEGV : SIGKILL); break;
	case 2:
		if (w->phase == WORKER_RUNS)
			worker_fence(w, CAUSE_WORKER_HUNG, NULL);
		break;
	case 3:
	case 4: world_worker_obeys(w); break;
	case 5: world_worker_stands(w); break;
	default: start_worker(w, dice(8) == 0);
	}
}

static void step(void)
{
	char name[8];
	struct vm *v;

	snprintf(name, sizeof name, "vm%u", (unsigned)dice(VMS));
	v = vm_find(&world.d.vms, name);
	switch (dice(24)) {
	case 0: define(name); break;
	case 1:
		if (dice(8) == 0)
			world_crash();
		break;
	case 2: world_disk(dice(3) == 0); break;
	case 3: world.is_start_refused = dice(4) == 0; break;
	case 4:
	case 5:
	case 6: world_wait(dice(2000)); break;
	case 7: world_wait(dice(30)); break;
	case 10: world.d.hostsafe.reason = dice(3) ? GROUND_HOLDS : GROUND_KVM_LOST; break;
	case 8:
	case 9: ledger_flush(&world.d); break;
	default:
		if (v && dice(8) == 0)
			change_roles(v);
		else if (v && dice(2))
			command(v);
		else if (world.n_workers)
			stir_worker(world.worker[dice(world.n_workers)]);
	}
}

/* What holds at every moment. */
static void check_now(void)
{
	for (size_t i = 0; i < world.d.vms.n; i++) {
		const struct vm *v = world.d.vms.vm[i];
		bool rests =
			v->row.observed == OBSERVED_STOPPED || v->row.observed == OBSERVED_SAFE;

		WORLD_MUST(v->worker ? !rests || v->worker->holders & WORKER_HOLD_FAULT : rests);
		WORLD_MUST(!v->worker == (v->row.pid == 0));
		WORLD_MUST(v->row.observed != OBSERVED_PAUSED ||
			   (v->row.desired == DESIRED_PAUSED && worker_is_held(v->worker)));
		WORLD_MUST(v->history.charged <= BUDGET_MAX);
		/* But for a standby that fell while it was held ready. */
		if (v->row.desired == DESIRED_STOPPED)
			WORLD_MUST(!v->restart &&
				   (!v->row.restart_at_ms || v->prepare || !pair_is_active(v)));
	}
}

static void check_disks(void)
{
	for (unsigned i = 0; i < world.n_workers; i++)
		WORLD_MUST(world.worker[i]->phase < WORKER_RUNS || !owner_of(world.worker[i]));
}

static int64_t number(const char *sql, const char *vm)
{
	const struct store_value key = STORE_TEXT(vm);
	int64_t n = -1;
	struct err e;

	WORLD_MUST(store_number(&world.d.store, sql, &key, *vm != '\0', -1, &n, &e) == 0);
	return n;
}

static bool is_same(const struct record *a, const struct record *b)
{
	return a->id == b->id && a->revision == b->revision &&
	       a->running_revision == b->running_revision && a->desired == b->desired &&
	       a->observed == b->observed && a->health == b->health && a->cause == b->cause &&
	       !strcmp(a->reason, b->reason) && a->pid == b->pid && a->pid_start == b->pid_start &&
	       a->generation == b->generation && a->restarts == b->restarts &&
	       a->since_ms == b->since_ms && a->pair == b->pair &&
	       a->restart_at_ms == b->restart_at_ms;
}

static int same(void *arg, const struct record *r, struct err *e)
{
	const struct vm *v = vm_find(&world.d.vms, r->name);

	(void)e;
	WORLD_MUST(v && is_same(&v->row, r));
	++*(size_t *)arg;
	return 0;
}

/* Where one of a warm pair runs the other one is ready, or safe. */
static void check_reserve(const struct vm *primary)
{
	const struct vm *partner = pair_partner(primary);
	bool is_primarys = primary->row.pair == PAIR_ACTIVE;

	if (!partner || !primary->policy.standby_warm ||
	    (is_primarys ? primary : partner)->row.observed != OBSERVED_RUNNING)
		return;
	WORLD_MUST((is_primarys ? partner : primary)->row.observed == OBSERVED_READY ||
		   (is_primarys ? partner : primary)->row.observed == OBSERVED_SAFE);
}

/* What holds when the disk is well and nobody has anything more to do. */
static void check_end(void)
{
	size_t n = 0;
	struct err e;

	world_disk(false);
	world.is_start_refused = false;
	world.d.hostsafe.reason = GROUND_HOLDS;
	pair_step(&world.d); /* as hostsafe_release() does */
	for (int i = 0; i < 2000; i++) {
		for (unsigned w = 0; w < world.n_workers;)
			w += !world_worker_obeys(world.worker[w]); /* who obeys is gone */
		for (unsigned w = 0; w < world.n_workers; w++)
			if (!world_worker_claims(world.worker[w], NULL) &&
			    !world_worker_starts(world.worker[w]))
				world_worker_stands(world.worker[w]);
		world_wait(50); /* below every deadline, above every back-off in sum */
		check_now();
	}
	WORLD_MUST(ledger_flush(&world.d));
	WORLD_MUST(record_each(&world.d.store, same, &n, &e) == 0 && n == world.d.vms.n);
	WORLD_MUST(number("SELECT count(*) - coalesce(max(seq), 0) FROM event", "") == 0);
	/* Whoever is safe has its incident. */
	WORLD_MUST(number("SELECT count(*) FROM event WHERE kind = 'safe' AND incident = 0", "") ==
		   0);
	/* The newest incidents at least are kept. */
	WORLD_MUST(number("SELECT count(*) FROM event WHERE "
			  "incident <> 0 AND incident > (SELECT max(id) FROM incident) - 50 AND "
			  "incident NOT IN (SELECT id FROM incident)",
			  "") == 0);
	for (size_t i = 0; i < world.d.vms.n; i++)
		WORLD_MUST(world.d.vms.vm[i]->row.pair == PAIR_ACTIVE ||
			   world.d.vms.vm[i]->row.pair == PAIR_PASSIVE);
	for (size_t i = 0; i < world.d.vms.n; i++)
		check_reserve(world.d.vms.vm[i]);
	/* Everyone runs or rests by now, and nobody waits for what has happened already. */
	for (size_t i = 0; i < world.d.vms.n; i++) {
		const struct vm *v = world.d.vms.vm[i];

		WORLD_MUST((v->row.desired == DESIRED_PAUSED) <=
			   (v->row.observed != OBSERVED_RUNNING));
		WORLD_MUST(v->row.observed != OBSERVED_STARTING &&
			   v->row.observed != OBSERVED_STOPPING);
		WORLD_MUST(number("SELECT count(*) FROM operation WHERE vm = ? AND "
				  "state = 'running'",
				  v->row.name) == 0);
	}
}

int storm_run(uint64_t seed, unsigned n_steps)
{
	uint64_t spawns = 0;
	unsigned worlds = 0;

	log_open("sim", silent, LOG_DEBUG);
	for (unsigned done = 0; done < n_steps; done += LIVES, worlds++) {
		state = seed + worlds * UINT64_C(0x9e3779b97f4a7c15) + 1;
		world_open();
		for (unsigned i = 0; i < LIVES; i++) {
			step();
			check_now();
			check_disks();
		}
		check_end();
		spawns += world.n_spawns;
		world_close();
	}
	printf("%u worlds of %d steps, %" PRIu64 " workers: all held\n", worlds, LIVES, spawns);
	return 0;
}
