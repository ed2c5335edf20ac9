/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "client/command.h"
#include "client/setting.h"
#include "client/show/diff.h"
#include "client/show/finding.h"
#include "client/show/problem.h"
#include "client/source.h"
#include "client/version.h"

enum { NAME = 256, SAME = 0, DIFFERENT = 1 };

static void name_of(const struct version *v, const char *vm, const char *suffix,
		    char ret[static NAME])
{
	snprintf(ret, NAME, "%s.%s, revision %" PRId64, vm, suffix, v->revision);
}

static bool print_configs(const char *vm, const struct version *from, const struct version *to)
{
	AUTO_DIFF struct diff *d = diff_new(from->config, from->bytes, to->config, to->bytes);
	char a[NAME], b[NAME];

	name_of(from, vm, "qvmconf", a);
	name_of(to, vm, "qvmconf", b);
	diff_print(d, stdout, a, b);
	return !diff_is_empty(d);
}

static bool print_policies(const char *vm, const struct version *from, const struct version *to)
{
	AUTO_DIFF struct diff *d =
		diff_new(from->policy, strlen(from->policy), to->policy, strlen(to->policy));
	char a[NAME], b[NAME];

	name_of(from, vm, "policy", a);
	name_of(to, vm, "policy", b);
	diff_print(d, stdout, a, b);
	return !diff_is_empty(d);
}

static bool print_folders(const struct version *from, const struct version *to)
{
	if (!strcmp(from->folder, to->folder))
		return false;
	printf("folder of relative paths: %s, then %s\n", *from->folder ? from->folder : "none",
	       *to->folder ? to->folder : "none");
	return true;
}

static int compare(struct command_call *c, const char *vm, int64_t first, int64_t second)
{
	AUTO_VERSION struct version from = {0}, to = {0};
	bool differ;
	int status;

	if (version_read(c, vm, first, &from, &status) < 0 ||
	    version_read(c, vm, second, &to, &status) < 0)
		return status;
	differ = print_configs(vm, &from, &to);
	differ |= print_folders(&from, &to);
	differ |= print_policies(vm, &from, &to);
	return differ ? DIFFERENT : SAME;
}

static int compare_with_file(struct command_call *c, const char *vm, const char *file)
{
	AUTO_VERSION struct version v = {0};
	AUTO_SOURCE struct source s = {0};
	char name[NAME];
	struct err e;
	int status;

	if (source_read(file, &s, &e) < 0)
		return problem_local(&e, c->as_json);
	if (version_read(c, vm, VERSION_NEWEST, &v, &status) < 0)
		return status;
	AUTO_DIFF struct diff *d = diff_new(v.config, v.bytes, s.text, s.bytes);

	name_of(&v, vm, "qvmconf", name);
	diff_print(d, stdout, name, s.name);
	return diff_is_empty(d) ? SAME : DIFFERENT;
}

/* "3" or "3..5"; 0 = the newest. */
static int read_revisions(const char *text, int64_t *ret_first, int64_t *ret_second, struct err *e)
{
	char *end;
	long long first, second = VERSION_NEWEST;

	errno = 0;
	first = strtoll(text, &end, 10);
	if (!strncmp(end, "..", 2) && end[2])
		second = strtoll(end + 2, &end, 10);
	if (errno || *end || first < 1 || second < 0)
		return err_set(e, USAGE,
			       "--revision '%s' has not the form N or N..M, as in 3 or 3..5", text);
	*ret_first = first;
	*ret_second = second;
	return 0;
}

/* What the next start changes; of what never ran, what the last change was. */
static int find_revisions(struct command_call *c, const char *vm, int64_t *ret_first,
			  int *ret_status)
{
	AUTO_VERSION struct version newest = {0};

	if (version_read(c, vm, VERSION_NEWEST, &newest, ret_status) < 0)
		return -1;
	*ret_first = newest.running && newest.running != newest.revision ? newest.running
		     : newest.revision > 1				 ? newest.revision - 1
									 : newest.revision;
	return 0;
}

static int run(struct command_call *c)
{
	const char *given = command_value(c, "--revision"), *file = c->argument[1];
	int64_t first = 0, second = VERSION_NEWEST;
	struct err e;
	int status;
	const char *vm = command_vm(c, &status);

	if (!vm)
		return status;
	if (given && file) {
		err_set(&e, USAGE, "FILE and --revision together; give one of them");
		return problem_local(&e, c->as_json);
	}
	if (file)
		return compare_with_file(c, vm, file);
	if (given && read_revisions(given, &first, &second, &e) < 0)
		return problem_local(&e, c->as_json);
	if (!given && find_revisions(c, vm, &first, &status) < 0)
		return status;
	return compare(c, vm, first, second);
}

static const struct command_option options[] = {
	{"--revision", "-r", "N[..M]", "revision N against M; without M the newest"},
	{0},
};

static const struct command diff = {
	.name = "diff",
	.group = COMMAND_LOOK,
	.arguments = "VM [FILE]",
	.op = OP_revision_show,
	.summary = "What has changed between revisions, or would by a file",
	.help = "Without more: what the next start changes, the revision that runs or ran last "
		"against the "
		"newest; if\n"
		"they are the same, what the last change was. With FILE: what `qvmadm define VM "
		"FILE` "
		"would change.\n"
		"The form is that of diff -u.\n\n"
		"  qvmadm diff brake\n"
		"  qvmadm diff brake brake.qvmconf && echo nothing to do\n"
		"  qvmadm diff brake --revision 3..5",
	.options = options,
	.statuses = (const struct command_status[]){{1, "there are differences"}, {0}},
	.run = run,
};

COMMAND_REGISTER(diff);
