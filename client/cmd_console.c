/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "client/attach.h"
#include "client/command.h"
#include "client/follower.h"
#include "client/show/problem.h"
#include "client/show/screen.h"
#include "client/show/term.h"
#include "schemas/message.h"

enum { ALL = -1, TAIL_MOST = 100000 }; /* lines */

/* \n \r \t \e \\ \xHH; -1 at any other. */
static int escaped(const char **at)
{
	static const char from[] = "nrte\\", to[] = "\n\r\t\033\\";
	const char *p = *at, *hit = *p ? strchr(from, *p) : NULL;
	char hex[3] = {0}, *end;
	long value;

	if (hit) {
		*at = p + 1;
		return (unsigned char)to[hit - from];
	}
	if (*p != 'x' || !p[1] || !p[2])
		return -1;
	memcpy(hex, p + 1, 2);
	value = strtol(hex, &end, 16);
	if (end != hex + 2)
		return -1;
	*at = p + 3;
	return (int)value;
}

/* In place: the text only gets shorter. */
static int unescape(char *text, size_t *ret_n, struct err *e)
{
	const char *p = text;
	char *out = text;

	while (*p) {
		if (*p != '\\') {
			*out++ = *p++;
			continue;
		}
		int c = (p++, escaped(&p));

		if (c < 0)
			return err_set(e, USAGE,
				       "--send knows no escape '\\%.3s'; it knows \\n \\r \\t \\e "
				       "\\\\ \\xHH",
				       p);
		*out++ = (char)c;
	}
	*ret_n = (size_t)(out - text);
	return 0;
}

/* In pieces of what one message carries. */
static int send_text(struct command_call *c, const char *vm, const char *given, int *ret_status)
{
	AUTO_FREE char *text = strdup(given);
	size_t n = 0;
	struct err e;

	if (unescape(text, &n, &e) < 0) {
		*ret_status = problem_local(&e, c->as_json);
		return -1;
	}
	for (size_t at = 0; at < n; at += MESSAGE_INPUT_MAX) {
		AUTO_RESPONSE struct http_response r = {0};
		size_t left = n - at;
		struct http_request q = {
			.op = OP_vm_type,
			.param = vm,
			.body = text + at,
			.body_bytes = left < MESSAGE_INPUT_MAX ? left : MESSAGE_INPUT_MAX,
			.body_type = "application/octet-stream",
		};

		if (command_ask(c, &q, &r, ret_status) < 0)
			return -1;
	}
	return 0;
}

/* "^]" or one character. */
static int read_escape(const char *text, char *ret, struct err *e)
{
	size_t n = strlen(text);

	if (n == 2 && text[0] == '^' && text[1] >= '?' && text[1] <= '~')
		*ret = text[1] == '?' ? '\177' : (char)(text[1] & 0x1f);
	else if (n == 1)
		*ret = *text;
	else
		return err_set(e, USAGE,
			       "--escape '%s' is no key; it takes one character, or ^ and one for "
			       "Ctrl and that: --escape '^A'",
			       text);
	return 0;
}

/* At a terminal, unless only a part is asked for. */
static int attach(struct command_call *c, const char *vm, bool is_terminal)
{
	const char *key = command_value(c, "--escape");
	struct attach_how how = {
		.escape = '\035',
		.by_force = command_value(c, "--force") != NULL,
		.is_read_only = command_value(c, "--read-only") != NULL,
	};
	struct err e;

	if (key && read_escape(key, &how.escape, &e) < 0)
		return problem_local(&e, c->as_json);
	if (!is_terminal) {
		err_set(&e, USAGE,
			"--force, --read-only and --escape are for a console that is attached to: "
			"stdin and stdout have to be a terminal, without --follow, --tail, --send "
			"and --json");
		return problem_local(&e, c->as_json);
	}
	return attach_run(c, vm, &how);
}

static const struct follower_source followed = {
	.op = OP_vm_console,
	.what = "console",
	.position = "Console-Position",
	.generation = "Console-Generation",
};

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	const char *text = command_value(c, "--send"), *tail = command_value(c, "--tail");
	bool follow = command_value(c, "--follow") != NULL;
	struct screen screen = screen_open();
	char query[32];
	struct err e;
	long lines;
	int status = 0;
	const char *vm = command_vm(c, &status);

	bool is_terminal = term_is_tty(stdin) && term_is_tty(stdout) && !follow && !tail && !text &&
			   !c->as_json;

	if (!vm)
		return status;
	if (is_terminal || command_value(c, "--escape") || command_value(c, "--force") ||
	    command_value(c, "--read-only"))
		return attach(c, vm, is_terminal);
	if (command_number(c, "--tail", 0, TAIL_MOST, ALL, &lines, &e) < 0)
		return problem_local(&e, c->as_json);
	if (text && (send_text(c, vm, text, &status) < 0 || (!follow && !tail)))
		return status;
	snprintf(query, sizeof query, "tail=%ld", lines);
	if (follow)
		status = follower_run(c, &followed, vm, lines, &screen);
	else
		command_ask(c,
			    &(struct http_request){.op = OP_vm_console,
						   .param = vm,
						   .query = lines == ALL ? NULL : query,
						   .accept = "text/plain",
						   .sink = screen_show,
						   .sink_arg = &screen},
			    &r, &status);
	screen_close(&screen);
	return status;
}

static const struct command_option options[] = {
	{"--follow", "-f", NULL,
	 "go on with what the guest prints from now, over lost connections"},
	{"--tail", "-n", "LINES", "begin with the last so many lines"},
	{"--send", NULL, "TEXT", "type TEXT first; it may hold \\n \\r \\t \\e \\\\ \\xHH"},
	{"--force", NULL, NULL, "attached: type although somebody else does"},
	{"--read-only", NULL, NULL, "attached: only look on"},
	{"--escape", NULL, "CHAR", "attached: what detaches, instead of '^]'"},
	{0},
};

static const struct command console = {
	.name = "console",
	.group = COMMAND_LOOK,
	.arguments = "VM",
	.op = OP_vm_console,
	.summary = "What the guest prints, and a way to type at it",
	.help = "At a terminal it attaches: shows the last lines and what follows, and types what "
		"you "
		"type, Ctrl-C too.\n"
		"Ctrl-] detaches. It goes on when the VM starts anew and when the server does. "
		"Line editing works;\n"
		"escape sequences that could harm the terminal do not come through.\n\n"
		"In a pipe, and with --follow or --tail, it prints what the guest has printed, "
		"also after its end:\n"
		"to a terminal with colours but no other escape sequences, to a pipe or file the "
		"guest's own bytes.\n"
		"--send alone types and prints nothing.\n\n"
		"  qvmadm console brake\n"
		"  qvmadm console brake --read-only\n"
		"  qvmadm console brake --escape '^A'\n"
		"  qvmadm console brake --follow\n"
		"  qvmadm console brake --send 'root\\n' --follow\n"
		"  qvmadm console brake --tail 20 | grep -i panic",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(console);
