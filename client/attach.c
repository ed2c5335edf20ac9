/* SPDX-License-Identifier: Apache-2.0 */
#include "client/attach.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"
#include "client/command.h"
#include "client/show/escape.h"
#include "client/show/keyboard.h"
#include "client/show/problem.h"
#include "client/show/screen.h"
#include "client/show/term.h"
#include "schemas/message.h"

/* A call that is made again and again, on its own connection. */
struct line {
	struct http *http;
	struct http_request q;
	CURL *curl;	    /* under way; NULL = nothing is */
	bool is_broken;	    /* it is to be made again */
	uint64_t at_ms;	    /* when the next may begin */
	uint64_t broken_ms; /* since when the server is away; 0 = it is there */
	bool is_told;	    /* that it is away */
};

struct attach {
	struct command_call *c;
	const char *vm;
	struct attach_how how;
	CURLM *multi;
	struct line reader, typist;
	struct screen screen;
	struct keyboard keyboard;
	char query[96];
	uint64_t generation, position; /* of the next byte to be shown */
	uint64_t told_generation;      /* that it runs anew */
	uint64_t state_ms;	       /* when to look at the state next */
	char observed[24];
	char typed[ATTACH_TYPED];
	size_t n_typed, n_sent; /* n_sent of them are under way */
	uint64_t moved_ms;	/* when typed bytes last went on */
	bool is_viewer;		/* what is typed was refused */
	bool is_mid_line, is_done;
	int status, signal;
};

/* A line of its own between what the guest prints. */
static void __attribute__((format(printf, 2, 3))) tell(struct attach *a, const char *format, ...)
{
	char text[ERR_MSG + 256];
	AUTO_FREE char *safe = NULL;
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof text, format, list);
	va_end(list);
	safe = escape_text(text, strlen(text));
	fprintf(stderr, "%s%s%s%s\n", a->is_mid_line ? "\n" : "", term_on(stderr, TERM_DIM), safe,
		term_off(stderr, TERM_DIM));
	a->is_mid_line = false;
}

static const char *key_name(char key, char ret[static 8])
{
	if ((unsigned char)key < ' ' || key == 0x7f)
		snprintf(ret, 8, "Ctrl-%c", key ^ 0x40);
	else
		snprintf(ret, 8, "%c", key);
	return ret;
}

static uint64_t header_number(const struct http *h, const char *name)
{
	const char *value = http_header(h, name);

	return value ? strtoull(value, NULL, 10) : 0;
}

static void forget_typed(struct attach *a)
{
	a->n_typed = a->n_sent = 0;
}

static void show(struct attach *a, const struct http_response *r, bool is_first, uint64_t now_ms)
{
	uint64_t end = header_number(a->reader.http, "Console-Position");
	uint64_t generation = header_number(a->reader.http, "Console-Generation");
	uint64_t begin = end - r->body_bytes;

	a->reader.at_ms = now_ms + (r->body_bytes || now_ms - a->moved_ms < 1000 ? ATTACH_BRISK_MS
										 : ATTACH_IDLE_MS);
	if (generation < a->generation) /* a server that begins has not found the worker yet */
		return;
	if (!is_first && generation != a->generation) {
		if (generation != a->told_generation)
			tell(a, "'%s' %s.", a->vm, a->generation ? "runs anew" : "has started");
		a->position = 0;
		a->is_viewer = false;
		str_copy(a->observed, sizeof a->observed, "running");
		a->state_ms = now_ms;
	}
	if (!is_first && begin > a->position)
		tell(a, "%" PRIu64 " bytes came too fast and are lost.", begin - a->position);
	a->generation = a->told_generation = generation;
	a->position = end;
	if (r->body_bytes == 0)
		return;
	a->is_mid_line = r->body[r->body_bytes - 1] != '\n';
	if (!screen_show(&a->screen, r->body, r->body_bytes))
		a->is_done = true; /* nobody sees it any more */
}

static void take_state(struct attach *a, const struct http_response *r)
{
	json_t *o = json_loads(r->body, 0, NULL);
	const char *observed = json_string_value(json_object_get(o, "observed"));
	uint64_t generation = (uint64_t)json_integer_value(json_object_get(o, "generation"));

	/* What soon is another state is not spoken of. */
	if (observed && strcmp(observed, a->observed) != 0 && strcmp(observed, "starting") != 0 &&
	    strcmp(observed, "stopping") != 0) {
		bool is_running = !strcmp(observed, "running"), is_first = !*a->observed;

		/* That it runs is said once: here or with its first byte. */
		if (!is_running || (!is_first && (generation != a->told_generation ||
						  !strcmp(a->observed, "paused"))))
			tell(a, "'%s' is %s.", a->vm, observed);
		if (is_running)
			a->told_generation = generation;
		a->is_viewer = a->is_viewer && is_first;
		str_copy(a->observed, sizeof a->observed, observed);
	}
	json_decref(o);
}

/* Nothing of it comes to the server any more: the answer is said when the terminal is as it was. */
static void end(struct attach *a, const struct line *l, const struct http_response *r)
{
	if (a->is_mid_line)
		fputc('\n', stderr);
	a->is_mid_line = false;
	keyboard_close(&a->keyboard);
	a->status = command_refused(a->c, &l->q, r);
	a->is_done = true;
}

static void on_read(struct attach *a, const struct http_response *r, uint64_t now_ms)
{
	if (!http_is_success(r)) {
		end(a, &a->reader, r);
	} else if (a->reader.q.op == OP_vm_console) {
		show(a, r, false, now_ms);
	} else {
		take_state(a, r);
		a->state_ms = now_ms + ATTACH_STATE_MS;
	}
}

/* Of a refusal: the server's own words, or these. */
static const char *words_of(const struct http_response *r, const char *otherwise,
			    char ret[static ERR_MSG])
{
	json_t *o = json_loads(r->body, 0, NULL);
	const char *detail = json_string_value(json_object_get(o, "detail"));

	str_copy(ret, ERR_MSG, detail ? detail : otherwise);
	json_decref(o);
	return ret;
}

static void on_typed(struct attach *a, const struct http_response *r, uint64_t now_ms)
{
	char why[ERR_MSG];

	a->moved_ms = now_ms;
	a->reader.at_ms = now_ms;
	if (http_is_success(r)) {
		a->n_typed -= a->n_sent;
		memmove(a->typed, a->typed + a->n_sent, a->n_typed);
		a->n_sent = 0;
		return;
	}
	tell(a, "%s", words_of(r, "The server takes nothing that is typed.", why));
	if (r->status == 409 && !strcmp(a->observed, "running"))
		tell(a, "You look on; `qvmadm console %s --force` types all the same.", a->vm);
	a->is_viewer = true;
	forget_typed(a);
}

static void begin(struct attach *a, struct line *l, bool is_again)
{
	l->curl = is_again ? http_begin_again(l->http) : http_begin(l->http, &l->q);
	if (curl_multi_add_handle(a->multi, l->curl) != CURLM_OK)
		abort();
	l->is_broken = false;
}

static void hang_up(struct attach *a, struct line *l)
{
	if (l->curl)
		curl_multi_remove_handle(a->multi, l->curl);
	l->curl = NULL;
}

/* The server is away, or cannot do it now, or the guest does not read: the same again, a little later. */
static void postpone(struct attach *a, struct line *l, const char *why, uint64_t now_ms)
{
	l->is_broken = true;
	l->at_ms = now_ms + ATTACH_AGAIN_MS;
	l->broken_ms = l->broken_ms ? l->broken_ms : now_ms;
	if (!l->is_told && now_ms - l->broken_ms >= ATTACH_AWAY_MS &&
	    (l == &a->reader || !a->reader.is_broken)) {
		char key[8];

		tell(a, "%s. Trying again; %s detaches.", why, key_name(a->how.escape, key));
		l->is_told = true;
	}
}

/* Of 429 the server says whether the guest does not read or somebody asks too often. What is typed is
 * tried at the pace of the guest, what is read when the server wants to be asked again. */
static void put_off(struct attach *a, struct line *l, const struct http_response *r,
		    uint64_t now_ms)
{
	bool is_reader = l == &a->reader;
	const char *why =
		is_reader ? "The server has no time" : "The server takes nothing that is typed now";
	char words[ERR_MSG];

	postpone(a, l, r->status == 429 ? words_of(r, why, words) : why, now_ms);
	if (r->status == 429 && (is_reader || r->retry_after_s > 1))
		l->at_ms = now_ms + (uint64_t)(r->retry_after_s ? r->retry_after_s : 1) * 1000;
}

static void finish(struct attach *a, struct line *l, CURLcode code, uint64_t now_ms)
{
	AUTO_RESPONSE struct http_response r = {0};
	struct err e;

	if (http_end(l->http, (int)code, &r, &e) < 0) {
		postpone(a, l, e.msg, now_ms);
		return;
	}
	if (r.status == 429 || r.status == 503) {
		put_off(a, l, &r, now_ms);
		return;
	}
	if (l->is_told)
		tell(a, l == &a->reader ? "Connected again." : "What was typed goes on.");
	l->broken_ms = 0;
	l->is_told = false;
	(l == &a->reader ? on_read : on_typed)(a, &r, now_ms);
}

/* Make the calls whose time has come; how long until the next. */
static int begin_due(struct attach *a, uint64_t now_ms)
{
	struct line *r = &a->reader, *t = &a->typist;

	if (!r->curl && now_ms >= r->at_ms && r->is_broken) {
		begin(a, r, true);
	} else if (!r->curl && now_ms >= r->at_ms) {
		bool is_state = now_ms >= a->state_ms && r->q.op == OP_vm_console;

		snprintf(a->query, sizeof a->query, "since=%" PRIu64 "&generation=%" PRIu64,
			 a->position, a->generation);
		r->q = (struct http_request){
			.op = is_state ? OP_vm_show : OP_vm_console,
			.param = a->vm,
			.query = is_state ? NULL : a->query,
			.accept = is_state ? NULL : "text/plain",
		};
		begin(a, r, false);
	}
	if (!t->curl && now_ms >= t->at_ms && t->is_broken) {
		begin(a, t, true);
	} else if (!t->curl && !t->is_broken && a->n_typed) {
		a->n_sent = a->n_typed < MESSAGE_INPUT_MAX ? a->n_typed : MESSAGE_INPUT_MAX;
		t->q = (struct http_request){
			.op = OP_vm_type,
			.param = a->vm,
			.query = a->how.by_force ? "force=1" : NULL,
			.body = a->typed,
			.body_bytes = a->n_sent,
			.body_type = "application/octet-stream",
		};
		begin(a, t, false);
	}
	return r->curl || now_ms >= r->at_ms ? ATTACH_IDLE_MS : (int)(r->at_ms - now_ms);
}

/* A paste that is longer than what may wait stands still. When nothing goes on for a second, keys
 * are thrown away instead, so that the one that detaches comes through. */
static size_t room(const struct attach *a, uint64_t now_ms)
{
	size_t left = ATTACH_TYPED - a->n_typed;

	return left || now_ms - a->moved_ms < 1000 ? left : 1024;
}

static void take_keys(struct attach *a, uint64_t now_ms)
{
	char keys[ATTACH_TYPED];
	ssize_t n = read(STDIN_FILENO, keys, room(a, now_ms));
	const char *escape = n > 0 ? memchr(keys, a->how.escape, (size_t)n) : NULL;
	size_t left = ATTACH_TYPED - a->n_typed, n_keys = n > 0 ? (size_t)n : 0;

	if (n <= 0 || escape) /* the terminal is gone, or its user goes */
		a->is_done = true;
	if (escape)
		n_keys = (size_t)(escape - keys);
	if (a->how.is_read_only || a->is_viewer)
		return;
	if (n_keys > left) {
		fputc('\a', stderr);
		n_keys = left;
	}
	if (a->n_typed == 0)
		a->moved_ms = now_ms;
	memcpy(a->typed + a->n_typed, keys, n_keys);
	a->n_typed += n_keys;
}

/* One turn: wait for the server, the keyboard or a signal, and do what it says. */
static void turn(struct attach *a, int signals)
{
	uint64_t now_ms = clock_mono_ms();
	struct curl_waitfd fd[] = {
		{.fd = signals, .events = CURL_WAIT_POLLIN},
		{.fd = STDIN_FILENO, .events = CURL_WAIT_POLLIN},
	};
	struct signalfd_siginfo s;
	int n = begin_due(a, now_ms), left;

	curl_multi_perform(a->multi, &left);
	curl_multi_poll(a->multi, fd, room(a, now_ms) ? 2 : 1, n, NULL);
	now_ms = clock_mono_ms();
	curl_multi_perform(a->multi, &left);
	for (const CURLMsg *m; !a->is_done && (m = curl_multi_info_read(a->multi, &left));) {
		struct line *l = m->easy_handle == a->reader.curl ? &a->reader : &a->typist;
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		hang_up(a, l); /* m is void from here on */
		finish(a, l, code, now_ms);
	}
	if (fd[0].revents && read(signals, &s, sizeof s) == sizeof s) {
		a->signal = (int)s.ssi_signo;
		a->is_done = true;
	}
	if (fd[1].revents && !a->is_done)
		take_keys(a, now_ms);
}

/* What has been typed before the end is typed, if the server takes it soon. */
static void send_rest(struct attach *a, int signals)
{
	uint64_t end_ms = clock_mono_ms() + 1000;

	a->is_done = false;
	while (a->n_typed && !a->is_viewer && !a->is_done && clock_mono_ms() < end_ms)
		turn(a, signals);
}

static void loop(struct attach *a, int signals)
{
	while (!a->is_done)
		turn(a, signals);
	if (!a->signal && !a->status)
		send_rest(a, signals);
	keyboard_close(&a->keyboard);
	screen_close(&a->screen);
	fflush(stdout);
}

/* What is there already. */
static int look(struct attach *a, struct http_response *ret)
{
	AUTO_RESPONSE struct http_response state = {0};

	snprintf(a->query, sizeof a->query, "tail=%d", ATTACH_TAIL);
	a->reader.q = (struct http_request){.op = OP_vm_show, .param = a->vm};
	if (command_ask(a->c, &a->reader.q, &state, &a->status) < 0)
		return -1;
	a->reader.q = (struct http_request){
		.op = OP_vm_console, .param = a->vm, .query = a->query, .accept = "text/plain"};
	if (command_ask(a->c, &a->reader.q, ret, &a->status) < 0)
		return -1;
	take_state(a, &state);
	return 0;
}

static int run(struct attach *a)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_FD int signals = -1;
	char key[8];
	sigset_t set;
	struct err e;

	if (look(a, &r) < 0)
		return a->status;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 ||
	    (signals = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
		abort();
	if (keyboard_open(&a->keyboard, &e) < 0)
		return problem_local(&e, false);
	tell(a, "Attached to %s%s. %s detaches.", a->vm, a->how.is_read_only ? ", read-only" : "",
	     key_name(a->how.escape, key));
	show(a, &r, true, clock_mono_ms());
	loop(a, signals);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	if (a->signal)
		raise(a->signal);
	if (a->status == 0)
		tell(a, "Detached from %s.", a->vm);
	return a->status;
}

int attach_run(struct command_call *c, const char *vm, const struct attach_how *how)
{
	struct attach *a = calloc(1, sizeof *a);
	struct err e;
	int status;

	if (!a || !(a->multi = curl_multi_init()))
		abort();
	a->c = c;
	a->vm = vm;
	a->how = *how;
	a->screen = screen_open();
	a->screen.is_attached = true;
	a->reader.http = c->http;
	if (http_again(c->http, &a->typist.http, &e) < 0)
		status = problem_local(&e, false);
	else
		status = run(a);
	hang_up(a, &a->reader);
	hang_up(a, &a->typist);
	http_close(a->typist.http);
	curl_multi_cleanup(a->multi);
	free(a);
	return status;
}
