/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - qvm-api: HTTP for one host's VMs. A child of qvmd: its link is descriptor 3, the
 * listening socket descriptor 4. It reads; what changes something goes to qvmd.
 */
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/api.h"
#include "api/view/boxes.h"
#include "api/call.h"
#include "api/view/attach.h"
#include "api/view/console.h"
#include "api/view/db.h"
#include "api/view/listing.h"
#include "api/http/http.h"
#include "api/http/lease.h"
#include "api/http/tls.h"
#include "api/jail.h"
#include "api/page/page.h"
#include "api/view/openapi.h"
#include "api/view/stream.h"
#include "api/supervisor.h"
#include "api/wait.h"
#include "api/writer.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"

static struct api a = {.outlet.socket = -1, .rate = {.burst = 1}};

enum { LINK = 3, LISTENER = 4, STORE_TRIES = 20, STORE_PAUSE_MS = 50 };

static const char usage[] =
	"usage: qvm-api --state-dir DIR [--uid N --gid N] [--requests-per-second N --request-burst "
	"N]\n"
	"The HTTP side of qvmd, which starts it with its link as descriptor 3 and the listening\n"
	"socket as descriptor 4. It is of no use alone.\n";

static int read_number(const char *name, const char *text, unsigned *ret, struct err *e)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (!*text || *end || errno || v > INT32_MAX)
		return err_set(e, USAGE, "--%s '%s' is no number up to %d", name, text, INT32_MAX);
	*ret = (unsigned)v;
	return 0;
}

static int read_arguments(int argc, char **argv, struct jail_spec *ret, struct err *e)
{
	static const struct option options[] = {
		{"state-dir", required_argument, NULL, 's'},
		{"uid", required_argument, NULL, 'u'},
		{"gid", required_argument, NULL, 'g'},
		{"requests-per-second", required_argument, NULL, 'r'},
		{"request-burst", required_argument, NULL, 'b'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 's')
			ret->state_dir = optarg;
		else if (c == 'u' && read_number("uid", optarg, &ret->uid, e) < 0)
			return -1;
		else if (c == 'g' && read_number("gid", optarg, &ret->gid, e) < 0)
			return -1;
		else if (c == 'r' &&
			 read_number("requests-per-second", optarg, &a.rate.per_s, e) < 0)
			return -1;
		else if (c == 'b' && read_number("request-burst", optarg, &a.rate.burst, e) < 0)
			return -1;
		if (c == 'v' || c == 'h') {
			fputs(c == 'v' ? "qvm-api " QVM_VERSION "\n" : usage, stdout);
			exit(0);
		}
		if (c == '?')
			return err_set(e, USAGE, "an argument is not known; see qvm-api --help");
	}
	if (!ret->state_dir || optind != argc)
		return err_set(e, USAGE,
			       "--state-dir is needed and nothing else; see qvm-api --help");
	return 0;
}

/* A descriptor that a library opens must never become 0, 1 or 2. */
static void fill_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static int check_socket(int fd, int is_listening, const char *what, struct err *e)
{
	int value = 0;
	socklen_t n = sizeof value;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &n) < 0)
		return err_sys(e, USAGE, "descriptor %d (%s); qvm-api is started by qvmd", fd,
			       what);
	if (value != is_listening)
		return err_set(e, USAGE, "descriptor %d is not %s; qvm-api is started by qvmd", fd,
			       what);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *i, void *arg)
{
	(void)i;
	(void)arg;
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

static int open_loop(struct err *e)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || sd_event_new(&a.loop) < 0 ||
	    sd_event_add_signal(a.loop, NULL, SIGTERM, on_signal, NULL) < 0 ||
	    sd_event_add_signal(a.loop, NULL, SIGINT, on_signal, NULL) < 0)
		return err_sys(e, INTERNAL, "make the event loop");
	return 0;
}

/* qvmd has the database open; what may be in the way is a recovery or a migration. */
static int open_store(struct err *e)
{
	struct timespec pause = {0, STORE_PAUSE_MS * 1000000L};
	int result = -1;

	for (int i = 0; i < STORE_TRIES && result < 0; i++) {
		if (i)
			nanosleep(&pause, NULL);
		result = db_open("file:/state/state.db?mode=ro", &a.db, e);
	}
	return result;
}

static unsigned max_fds(void)
{
	struct rlimit l;

	return getrlimit(RLIMIT_NOFILE, &l) == 0 ? (unsigned)l.rlim_cur : 256;
}

/* jansson would open /dev/urandom, which is not there any more. */
static void seed_json(void)
{
	size_t seed = 0;

	if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
		abort();
	json_object_seed(seed ? seed : 1);
}

static void log_out(const struct log_line *l)
{
	outlet_write(&a.outlet, l);
}

/* libmicrohttpd gives its callback nothing to know us by. */
static int on_handshake(gnutls_session_t session, const gnutls_datum_t *ca, int n_ca,
			const gnutls_pk_algorithm_t *kinds, int n_kinds, gnutls_pcert_st **ret,
			unsigned *ret_n, gnutls_privkey_t *ret_key)
{
	(void)session;
	(void)ca;
	(void)n_ca;
	(void)kinds;
	(void)n_kinds;
	tls_certificate(a.tls, ret, ret_n, ret_key);
	return 0;
}

static int serve(const struct jail_spec *jail, struct err *e)
{
	if (open_loop(e) < 0)
		return -1;
	outlet_open(&a.outlet);
	auth_open(&a.auth, geteuid() != 0);
	window_open(&a.window, jail->state_dir);
	seed_json();
	tzset();
	if (jail_enter(jail, &a.layers, e) < 0)
		return err_wrap(e, "close the sandbox");
	if (open_store(e) < 0)
		return -1;
	a.known = quotas_new(&a.rate);
	a.strangers = quotas_new(&a.rate);
	a.leases = leases_new(&a);
	a.boxes = boxes_new();
	a.calls = calls_new();
	a.waits = waits_new();
	a.streams = streams_new(&a);
	a.listing = listing_new();
	a.consoles = consoles_new(&a);
	a.pages = pages_new();
	a.writers = writers_new();
	a.attached = attached_new(&a);
	a.document = openapi_print();
	a.certificate = on_handshake;
	if (supervisor_open(&a, LINK, &a.supervisor, e) < 0 ||
	    http_open(&a, LISTENER, max_fds(), &a.http, e) < 0 || jail_filter(&a.layers, e) < 0 ||
	    supervisor_ready(a.supervisor, e) < 0)
		return -1;
	return sd_event_loop(a.loop);
}

/* Whoever waits is told; then what is ready is sent. */
static void close_all(void)
{
	struct err why;

	err_set(&why, UNAVAILABLE, "the supervisor is ending; ask again when it is back");
	if (a.http) {
		call_fail_all(a.calls, &why);
		wait_fail_all(a.waits, &why);
		http_close(a.http);
	}
	tls_free(a.tls);
	supervisor_close(a.supervisor);
	attached_free(a.attached);
	writers_free(a.writers);
	consoles_free(a.consoles);
	streams_free(a.streams);
	listing_free(a.listing);
	waits_free(a.waits);
	calls_free(a.calls);
	boxes_free(a.boxes);
	leases_free(a.leases);
	quotas_free(a.strangers);
	quotas_free(a.known);
	db_close(a.db);
	window_close(&a.window);
	sd_event_unref(a.loop);
	pages_free(a.pages);
	free(a.document);
}

int main(int argc, char **argv)
{
	struct jail_spec jail = {.max_fds = HTTP_CONNECTIONS + HTTP_OTHER_FDS};
	struct err e = {0};
	int result = -1;

	fill_standard_fds();
	log_open("qvm-api", log_out, LOG_INFO);
	a.started_ms = clock_mono_ms();
	if (read_arguments(argc, argv, &jail, &e) == 0 &&
	    check_socket(LINK, 0, "the link to qvmd", &e) == 0 &&
	    check_socket(LISTENER, 1, "a listening socket", &e) == 0)
		result = serve(&jail, &e);
	if (result < 0 && e.code)
		log_error((&(struct log_about){.err = &e}), "%s", e.msg);
	close_all();
	return result < 0 ? e.code ? err_exit((enum err_code)e.code) : 1 : result;
}
