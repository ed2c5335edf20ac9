/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "client/show/age.h"
#include "client/command.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/prose.h"
#include "client/show/layers.h"
#include "client/show/size.h"
#include "client/show/term.h"

static void print_head(const char *text)
{
	printf("\n%s%s%s\n", term_on(stdout, TERM_BOLD), text, term_off(stdout, TERM_BOLD));
}

/* The name of a row and the blanks around it. */
enum { NAME_COLUMNS = 27 };

static void print_name(const char *name)
{
	printf("  %s%-24s%s ", term_on(stdout, TERM_DIM), name, term_off(stdout, TERM_DIM));
}

__attribute__((format(printf, 2, 3))) static void print_row(const char *name, const char *fmt, ...)
{
	va_list ap;

	print_name(name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void print_facts(const json_t *facts)
{
	const char *name;
	json_t *fact;

	json_object_foreach ((json_t *)facts, name, fact)
		print_row(name, "%s", field_word(facts, name));
}

static const char *size_of(const json_t *o, const char *name, char ret[static SIZE_TEXT])
{
	return size_text((uint64_t)field_number(o, name, 0), ret);
}

static void print_capacity(const json_t *c)
{
	int64_t load = field_number(c, "load", 0), huge = field_number(c, "huge_pages", 0);
	char a[SIZE_TEXT], b[SIZE_TEXT], span[AGE_TEXT];

	print_head("Capacity");
	print_row("processors", "%" PRId64 ", load %" PRId64 ".%02" PRId64,
		  field_number(c, "cpus", 0), load / 100, load % 100);
	print_row("memory", "%s of %s available", size_of(c, "available_bytes", a),
		  size_of(c, "memory_bytes", b));
	print_row("promised to guests", "%s of %s", size_of(c, "promised_bytes", a),
		  size_of(c, "budget_bytes", b));
	if (field_number(c, "swap_bytes", 0))
		print_row("swap in use", "%s", size_of(c, "swap_bytes", a));
	if (huge)
		print_row("huge pages", "%" PRId64 " of %" PRId64 " free, %s each",
			  field_number(c, "huge_pages_free", 0), huge,
			  size_of(c, "huge_page_bytes", a));
	print_row("up", "%s", age_span(field_number(c, "uptime_ms", 0), span));
}

/* Features in as many lines as it takes: those that are there, those that are not with what for. */
static void print_kvm(const json_t *kvm, const char *state)
{
	char list[1024] = "";
	size_t i, n = 0;
	json_t *f;

	print_head("KVM");
	print_row("/dev/kvm", "%s", state);
	if (!field_number(kvm, "version", 0))
		return;
	print_row("interface",
		  "version %" PRId64 ", %" PRId64 " vCPUs a VM (%" PRId64 " advised), %" PRId64
		  " memory slots",
		  field_number(kvm, "version", 0), field_number(kvm, "vcpus", 0),
		  field_number(kvm, "vcpus_recommended", 0), field_number(kvm, "memslots", 0));
	json_array_foreach (field_list(kvm, "features"), i, f)
		if (field_true(f, "offered"))
			str_add(list, sizeof list, &n, "%s%s", n ? " " : "", field_text(f, "name"));
	print_name("features");
	prose_behind(stdout, list, NAME_COLUMNS);
	json_array_foreach (field_list(kvm, "features"), i, f)
		if (!field_true(f, "offered"))
			print_row("without", "%s%s%s: %s", term_on(stdout, TERM_BUSY),
				  field_text(f, "name"), term_off(stdout, TERM_BUSY),
				  field_text(f, "what"));
}

static void print_store(const json_t *store, const json_t *facts)
{
	char a[SIZE_TEXT], b[SIZE_TEXT], iso[CLOCK_ISO], local[AGE_TEXT];

	print_head("Supervisor");
	print_row("running since", "%s, pid %s",
		  age_local(clock_iso(strtoll(field_text(facts, "started_ms"), NULL, 10), iso),
			    local),
		  field_word(facts, "pid"));
	if (*field_text(facts, "partitions"))
		print_row("partitions", "%s", field_text(facts, "partitions"));
	print_row("database", "%s", size_of(store, "database_bytes", a));
	print_row("disk of the state", "%s of %s free", size_of(store, "free_bytes", a),
		  size_of(store, "total_bytes", b));
}

static void print_state(const json_t *host)
{
	const json_t *facts = json_object_get(host, "facts");
	bool is_safe = !strcmp(field_word(host, "state"), "safe");
	char local[AGE_TEXT];

	print_row("state", "%s%s%s", term_on(stdout, is_safe ? TERM_BAD : TERM_GOOD),
		  field_word(host, "state"), term_off(stdout, TERM_BAD));
	if (is_safe) {
		print_row("why", "%s", field_text(host, "why"));
		print_row("since", "%s", age_local(field_text(host, "since"), local));
		print_row("", "no VM is started until `qvmadm host release`");
	}
	if (*field_text(facts, "weaker"))
		print_row("weaker than it could be", "%s%s%s", term_on(stdout, TERM_BUSY),
			  field_text(facts, "weaker"), term_off(stdout, TERM_BUSY));
}

static void print_host(const struct command_call *c, const json_t *host)
{
	const json_t *facts = json_object_get(host, "facts");
	char local[AGE_TEXT];

	printf("%s%s%s, qvm %s at %s\n", term_on(stdout, TERM_BOLD), field_word(facts, "hostname"),
	       term_off(stdout, TERM_BOLD), field_word(host, "version"), http_host(c->http));
	print_state(host);
	print_capacity(json_object_get(host, "capacity"));
	print_kvm(json_object_get(host, "kvm"), field_word(facts, "kvm"));
	print_store(json_object_get(host, "store"), facts);
	print_head("Enforced");
	print_facts(json_object_get(host, "enforced"));
	print_name("sandbox of the API");
	layers_print(json_object_get(host, "api"));
	if (*field_text(host, "certificate_until"))
		print_row("certificate of TLS", "until %s",
			  age_local(field_text(host, "certificate_until"), local));
	print_head("Programs");
	print_facts(json_object_get(host, "programs"));
	if (c->is_verbose) {
		print_head("Parameters of KVM");
		print_facts(json_object_get(json_object_get(host, "kvm"), "parameters"));
	}
}

static int release(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	int status;

	if (command_ask(c, &(struct http_request){.op = OP_host_release}, &r, &status) < 0)
		return status;
	if (!c->as_json)
		printf("The host is not in its safe state: VMs may start.\n");
	return 0;
}

static int run(struct command_call *c)
{
	AUTO_JSON json_t *host = NULL;
	struct err e;
	int status;

	if (c->argument[0] && strcmp(c->argument[0], "release") != 0) {
		err_set(&e, USAGE,
			"'%s' is nothing to be done with a host; it is release, or "
			"nothing to look at it",
			c->argument[0]);
		return problem_local(&e, c->as_json);
	}
	if (c->argument[0])
		return release(c);
	host = command_read(c, &(struct http_request){.op = OP_host_show}, &status);
	if (host)
		print_host(c, host);
	return status;
}

static const struct command host = {
	.name = "host",
	.group = COMMAND_LOOK,
	.arguments = "[release]",
	.op = OP_host_show,
	.help = "What the host has and what of it is promised to guests, what its KVM offers, what "
		"workers are held\n"
		"to, and which programs serve; -v shows the parameters of KVM's modules, too. "
		"`qvmadm doctor` judges\n"
		"all this. `release` leaves the safe state of the host, which starts "
		"no VM, "
		"once what\nhad given way holds again.\n\n"
		"  qvmadm host\n"
		"  qvmadm host release\n"
		"  qvmadm -H unix:/run/qvm/api.sock host",
	.run = run,
};

COMMAND_REGISTER(host);
