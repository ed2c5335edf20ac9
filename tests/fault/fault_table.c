/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault_table [--rows]: prints the fault model of schemas/faults.def, as the page daemon/FAULTS.md or
 * as one line of tab-separated columns a row.
 */
#include <stdio.h>
#include <string.h>

#include "schemas/cause.h"

enum group {
#define FAULT_GROUP(symbol, title) GROUP_##symbol,
#define FAULT(...)
#include "schemas/faults.def"
#undef FAULT
#undef FAULT_GROUP
	GROUP_COUNT
};

static const char *const title[] = {
#define FAULT_GROUP(symbol, title) title,
#define FAULT(...)
#include "schemas/faults.def"
#undef FAULT
#undef FAULT_GROUP
};

static const struct fault {
	const char *id;
	enum group group;
	enum cause cause;
	const char *bound, *reaction, *condition, *detection;
} faults[] = {
#define FAULT_GROUP(symbol, title)
#define FAULT(id, group, cause, bound, reaction, condition, detection)                             \
	{#id, GROUP_##group, CAUSE_##cause, bound, reaction, condition, detection},
#include "schemas/faults.def"
#undef FAULT
#undef FAULT_GROUP
};

static const char *reaction_of(const struct fault *f)
{
	static const char *const by_class[] = {
		[CAUSE_CLASS_STOP] = "none",
		[CAUSE_CLASS_POWEROFF] = "policy `on_poweroff`",
		[CAUSE_CLASS_REBOOT] = "policy `on_reboot`",
		[CAUSE_CLASS_WATCHDOG] = "safe, then policy `on_watchdog`",
		[CAUSE_CLASS_FAILURE] = "safe, then policy `on_failure`",
	};

	return *f->reaction ? f->reaction : by_class[cause_class(f->cause)];
}

static void print_rows(void)
{
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		const struct fault *f = &faults[i];

		printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f->id, title[f->group], cause_id(f->cause),
		       f->bound, reaction_of(f), f->condition, f->detection);
	}
}

static void print_bound(const char *bound)
{
	if (!strcmp(bound, "guest"))
		printf("what the guest set");
	else if (strspn(bound, "0123456789") == strlen(bound))
		printf("%s ms", bound);
	else if (strcmp(bound, "at once") != 0)
		printf("`%s`", bound);
	else
		printf("%s", bound);
}

static void print_page(void)
{
	printf("# The fault model\n\n"
	       "Printed from `schemas/faults.def` by `make fault-page`; `make faults` injects "
	       "every "
	       "row and shows what\nbecame of it. A cause of `-` leaves the VM running; every "
	       "other "
	       "one is an event, and every failure an\nincident that names it. The bound is the "
	       "time from the fault to its detection; the safe state follows\nwithout waiting for "
	       "the disk, a client or another VM.\n");
	for (enum group g = 0; g < GROUP_COUNT; g++) {
		printf("\n## %s\n\n| fault | condition | seen by | bound | cause | what follows "
		       "|\n|---|---|---|---|---|---|\n",
		       title[g]);
		for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
			const struct fault *f = &faults[i];

			if (f->group != g)
				continue;
			printf("| `%s` | %s | %s | ", f->id, f->condition, f->detection);
			print_bound(f->bound);
			printf(" | %s | %s |\n", f->cause == CAUSE_NONE ? "-" : cause_id(f->cause),
			       reaction_of(f));
		}
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--rows"))
		print_rows();
	else
		print_page();
	return 0;
}
