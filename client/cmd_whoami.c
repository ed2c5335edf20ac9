/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "client/command.h"
#include "client/show/age.h"
#include "client/show/field.h"
#include "client/show/term.h"

enum { NAME = 96 };

static const struct {
	const char *id, *may;
} roles[] = {
	{"reader", "looks at everything but tokens, the audit and guest memory"},
	{"operator", "starts, stops and types, too"},
	{"admin", "defines, deletes and lets others in, too"},
};

static void print_row(const char *name, enum term_style style, const char *text, const char *more)
{
	printf("%s%-8s%s %s%s%s%s%s\n", term_on(stdout, TERM_DIM), name, term_off(stdout, TERM_DIM),
	       term_on(stdout, style), text, term_off(stdout, style), *more ? "  " : "", more);
}

/* "uid 1000", or the name of the token or certificate. */
static const char *name_of(const json_t *o, char ret[static NAME])
{
	const char *name = field_text(o, "name");

	if (*name)
		snprintf(ret, NAME, "%s", name);
	else
		snprintf(ret, NAME, "uid %" PRId64, field_number(o, "uid", -1));
	return ret;
}

static const char *proof_of(const json_t *o)
{
	const char *kind = field_text(o, "kind");

	if (!strcmp(kind, "uid"))
		return "the kernel's word at the unix socket";
	return !strcmp(kind, "bearer") ? "a token" : "a client certificate";
}

static void print_expiry(const json_t *o)
{
	const char *expires = field_text(o, "expires");
	char age[AGE_TEXT], local[AGE_TEXT];

	if (*expires)
		print_row("Ends", TERM_PLAIN, age_text(expires, clock_wall_ms(), age),
			  age_local(expires, local));
	else if (strcmp(field_text(o, "kind"), "uid") != 0)
		print_row("Ends", TERM_PLAIN, "never", "");
}

static int run(struct command_call *c)
{
	AUTO_JSON json_t *o = NULL;
	const char *role, *vms, *may = "";
	char name[NAME];
	int status;

	o = command_read(c, &(struct http_request){.op = OP_whoami}, &status);
	if (!o)
		return status;
	if (c->output == OUTPUT_NAME) {
		puts(name_of(o, name));
		return 0;
	}
	role = field_text(o, "role");
	vms = field_text(o, "vms");
	for (size_t i = 0; i < NELEMS(roles); i++)
		if (!strcmp(roles[i].id, role))
			may = roles[i].may;
	print_row("Name", TERM_BOLD, name_of(o, name), "");
	print_row("By", TERM_PLAIN, proof_of(o), "");
	print_row("Role", TERM_BOLD, role, may);
	print_row("VMs", TERM_PLAIN, *vms ? vms : "all, and the host", "");
	print_expiry(o);
	print_row("At", TERM_PLAIN, http_host(c->http), "");
	return 0;
}

static const struct command whoami = {
	.name = "whoami",
	.group = COMMAND_LOOK,
	.arguments = "",
	.op = OP_whoami,
	.forms = OUTPUT_IN(OUTPUT_NAME),
	.help = "What the server takes you for: the uid of the unix socket, a token "
		"(QVM_TOKEN) or a client\n"
		"certificate, with its role, the VMs it is for, and when it ends. Which server "
		"that "
		"is, a\n"
		"context or -H says.\n\n"
		"  qvmadm whoami\n"
		"  QVM_TOKEN=$SECRET qvmadm -H https://lab:9443 whoami\n"
		"  test \"$(qvmadm --json whoami | jq -r .role)\" = admin",
	.run = run,
};

COMMAND_REGISTER(whoami);
