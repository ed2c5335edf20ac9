/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "daemon/vm/action.h"
#include "daemon/vm/life.h"
#include "daemon/vm/pair.h"
#include "daemon/store/operation.h"
#include "daemon/worker/worker.h"
#include "schemas/op.h"
#include "tests/sim/world.h"

enum { WORDS = 16 };

static uint64_t n_requests;

/* The database has a new name each time; a golden print has not. */
static void print_text(const char *text)
{
	const char *path = strstr(text, world.path);

	if (path)
		printf("%.*sSTATE%s\n", (int)(path - text), text, path + strlen(world.path));
	else
		puts(text);
}

/* Events as they are logged, with the virtual time. */
static void print_line(const struct log_line *l)
{
	const struct log_about *a = l->about;

	printf("%8llu  %-8s %-10s ", (unsigned long long)world_now_ms(), a && a->vm ? a->vm : "",
	       a && a->event ? a->event : "-");
	print_text(l->text);
}

static struct vm *vm_of(const char *name)
{
	struct vm *v = vm_find(&world.d.vms, name);

	if (!v)
		world_broken(__FILE__, __LINE__, "the scene names a VM that is not there");
	return v;
}

static struct worker *worker_of(const char *name)
{
	struct vm *v = vm_of(name);

	if (!v->worker)
		world_broken(__FILE__, __LINE__, "the scene wants a worker that is not there");
	return v->worker;
}

/* A number or a reaction. */
static int64_t number_of(const char *value)
{
	int64_t n;

	return reaction_from_id(value, &n) == 0 ? n : strtoll(value, NULL, 10);
}

static void define(char **word, int n)
{
	struct policy p = policy_default();
	struct err e;

	for (int i = 2; i < n; i++) {
		char *value = strchr(word[i], '=');
		const struct policy_field *f;

		if (!value)
			world_broken(__FILE__, __LINE__, "FIELD=VALUE");
		*value++ = '\0';
		f = policy_find(word[i]);
		if (!f || (policy_is_text(f) ? policy_set_text(&p, f, value, &e)
					     : policy_set(&p, f, number_of(value), &e)) < 0)
			world_broken(__FILE__, __LINE__, word[i]);
	}
	if (!world_define(word[1], &p))
		printf("%8s  %-8s refused\n", "", word[1]);
}

static const struct {
	const char *word;
	enum vm_event event;
	enum op_id op;
} verbs[] = {
	{"start", VM_EVENT_START, OP_vm_start},
	{"stop", VM_EVENT_STOP, OP_vm_stop},
	{"kill", VM_EVENT_KILL, OP_vm_kill},
	{"release", VM_EVENT_RELEASE, OP_vm_release},
	{"pause", VM_EVENT_PAUSE, OP_vm_pause},
	{"resume", VM_EVENT_RESUME, OP_vm_resume},
	{"reset-budget", VM_EVENT_RESET_BUDGET, OP_vm_reset_budget},
};

static const struct {
	const char *word;
	enum op_id op;
	int (*run)(struct daemon *d, struct vm *v, const struct operation *o, int64_t *ret_id,
		   struct err *e);
} role_verbs[] = {
	{"takeover", OP_vm_takeover, pair_take_over},
	{"give-back", OP_vm_give_back, pair_give_back},
};

static bool change_roles(char **word)
{
	for (size_t i = 0; i < NELEMS(role_verbs); i++) {
		struct operation o = {.op = role_verbs[i].op, .request = ++n_requests};
		int64_t id;
		struct err e;

		if (strcmp(word[0], role_verbs[i].word))
			continue;
		if (role_verbs[i].run(&world.d, vm_of(word[1]), &o, &id, &e) < 0)
			printf("%8s  %-8s refused: %s\n", "", word[1], e.msg);
		return true;
	}
	return false;
}

static bool command(char **word)
{
	for (size_t i = 0; i < NELEMS(verbs); i++) {
		struct operation o = {.op = verbs[i].op, .request = ++n_requests};
		int64_t id;
		struct err e;

		if (strcmp(word[0], verbs[i].word))
			continue;
		if (life_command(&world.d, vm_of(word[1]), verbs[i].event, &o, &id, &e) < 0) {
			printf("%8s  %-8s refused: ", "", word[1]);
			print_text(e.msg);
		}
		return true;
	}
	return false;
}

/* claims VM [taken|changed] */
static void claim(struct worker *w, const char *how)
{
	struct err why;

	if (!strcmp(how, "taken"))
		err_set(&why, RESOURCE, "disk 'd' is in use");
	else if (!strcmp(how, "changed"))
		err_set(&why, STALE, "'d' is another file now");
	if (!world_worker_claims(w, *how ? &why : NULL))
		printf("%8s  %-8s claims nothing\n", "", w->vm);
}

static void act(char **word, int n)
{
	const char *verb = word[0];

	if (!strcmp(verb, "crash"))
		world_crash();
	else if (!strcmp(verb, "reboot"))
		world_reboot();
	else if (!strcmp(verb, "clock") && n > 1)
		world.clock_step_ms += strtoll(word[1], NULL, 10);
	else if (n < 2)
		world_broken(__FILE__, __LINE__, verb);
	else if (!strcmp(verb, "define"))
		define(word, n);
	else if (!strcmp(verb, "wait"))
		world_wait(strtoull(word[1], NULL, 10));
	else if (!strcmp(verb, "disk"))
		world_disk(!strcmp(word[1], "full"));
	else if (!strcmp(verb, "host"))
		world.is_start_refused = !strcmp(word[1], "poor");
	else if (!strcmp(verb, "runs"))
		world_worker_starts(worker_of(word[1]));
	else if (!strcmp(verb, "claims"))
		claim(worker_of(word[1]), n > 2 ? word[2] : "");
	else if (!strcmp(verb, "stands"))
		world_worker_stands(worker_of(word[1]));
	else if (!strcmp(verb, "obeys"))
		world_worker_obeys(worker_of(word[1]));
	else if (!strcmp(verb, "faults") && n > 2) {
		if (!world_worker_faults(worker_of(word[1]), cause_from_id(word[2])))
			printf("%8s  %-8s does not stand for that\n", "", word[1]);
	} else if (!strcmp(verb, "says") && n > 2)
		world_worker_says(worker_of(word[1]), cause_from_id(word[2]));
	else if (!strcmp(verb, "dies") && n > 2)
		world_worker_dies(worker_of(word[1]), atoi(word[2]));
	else if (!command(word) && !change_roles(word))
		world_broken(__FILE__, __LINE__, verb);
	ledger_flush(&world.d);
}

static void print_rows(void)
{
	for (size_t i = 0; i < world.d.vms.n; i++) {
		const struct record *r = &world.d.vms.vm[i]->row;

		if (r->pair != PAIR_ACTIVE)
			printf("%8s  %-8s has the role %s\n", "", r->name, pair_id(r->pair));
		printf("%8s  %-8s is %s, wanted %s, %s, last end %s, %lld restarts\n", "", r->name,
		       observed_id(r->observed), desired_id(r->desired), health_id(r->health),
		       cause_id(r->cause), (long long)r->restarts);
	}
}

int scene_play(const char *path)
{
	AUTO_FILE FILE *f = fopen(path, "re");
	char line[512];

	if (!f) {
		perror(path);
		return 1;
	}
	log_open("sim", print_line, LOG_DEBUG);
	world_open();
	while (fgets(line, sizeof line, f)) {
		char *word[WORDS], *rest = line;
		int n = 0;

		line[strcspn(line, "#\n")] = '\0';
		while (n < WORDS && (word[n] = strtok_r(rest, " \t", &rest)))
			n++;
		if (n == 0)
			continue;
		printf("> %s", word[0]);
		for (int i = 1; i < n; i++)
			printf(" %s", word[i]);
		putchar('\n');
		act(word, n);
	}
	print_rows();
	world_close();
	return 0;
}
