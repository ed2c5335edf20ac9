/* SPDX-License-Identifier: Apache-2.0 */
/* qvmd - the supervisor: decides, stores, spawns, reaps. One thread; it never waits on anyone. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/journal.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/daemon.h"

static struct daemon d;

static const char help[] =
	"usage: qvmd [--config FILE] [--state-dir DIR] [--run-dir DIR] [--foreground]\n"
	"\n"
	"Supervises virtual machines: one `qvm` process per VM, one `qvm-api` that serves REST.\n"
	"\n"
	"  --config FILE    settings (default /etc/qvm/qvmd.conf, which need not exist)\n"
	"  --state-dir DIR  the database of this host (default /var/lib/qvm)\n"
	"  --run-dir DIR    the API's socket api.sock (default /run/qvm)\n"
	"  --foreground     log to standard error instead of the journal\n"
	"  --help, --version\n"
	"\n"
	"Settings, one `key = value` a line: state-dir, run-dir, program-dir (of qvm and\n"
	"qvm-api), allow (a folder that guests' files may come from; repeat it; default /),\n"
	"worker-uid-base (1900000000), scopes (yes or no: under systemd, one for each VM),\n"
	"memory-budget (of all guests; 512m, 16g; default all of the host's), shutdown-grace-ms\n"
	"(from the power button to the cut when qvmd ends; default 10000, 0 = cut at once),\n"
	"on-host-fault (keep or stop: what becomes of VMs when the host is not sound), on-exit\n"
	"(what SIGTERM does with the guests: stop, or leave; default leave, with --foreground\n"
	"stop).\n"
	"\n"
	"The guests need no qvmd to run: when it is killed, or ends and leaves them, the next one\n"
	"goes on with them. SIGTERM ends it in order, as `on-exit` says; SIGINT ends the guests\n"
	"first, and the next qvmd starts them again; SIGUSR1 leaves them. A second one hurries.\n";

enum { OPT_CONFIG = 256, OPT_STATE, OPT_RUN, OPT_FOREGROUND, OPT_HELP, OPT_VERSION };

struct arguments {
	const char *config, *state_dir, *run_dir;
	bool foreground;
};

/* Returns the exit status, or -1 to go on. */
static int read_arguments(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, OPT_CONFIG},
		{"state-dir", required_argument, NULL, OPT_STATE},
		{"run-dir", required_argument, NULL, OPT_RUN},
		{"foreground", no_argument, NULL, OPT_FOREGROUND},
		{"help", no_argument, NULL, OPT_HELP},
		{"version", no_argument, NULL, OPT_VERSION},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case OPT_CONFIG: a->config = optarg; break;
		case OPT_STATE: a->state_dir = optarg; break;
		case OPT_RUN: a->run_dir = optarg; break;
		case OPT_FOREGROUND: a->foreground = true; break;
		case OPT_HELP: fputs(help, stdout); return 0;
		case OPT_VERSION: puts("qvmd " QVM_VERSION); return 0;
		default:
			fputs("qvmd: qvmd --help shows the options\n", stderr);
			return err_exit(ERR_USAGE);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "qvmd: '%s' is no option: qvmd --help shows them\n", argv[optind]);
		return err_exit(ERR_USAGE);
	}
	return -1;
}

/* The command line takes paths as a shell gives them; the rest of the program wants them whole. */
static int set_path(const char *key, const char *path, struct err *e)
{
	char whole[CONFIG_PATH * 2];

	if (!path)
		return 0;
	if (path[0] != '/') {
		if (!getcwd(whole, CONFIG_PATH))
			return err_sys(e, INVALID, "find the present folder");
		size_t n = strlen(whole);

		str_add(whole, sizeof whole, &n, "/%s", path);
		path = whole;
	}
	return config_set(&d.config, key, path, e);
}

static int configure(const struct arguments *a, struct err *e)
{
	config_defaults(&d.config);
	d.config.leaves_vms = !a->foreground;
	if (config_read(&d.config, a->config ? a->config : "/etc/qvm/qvmd.conf", a->config != NULL,
			e) < 0 ||
	    set_path("state-dir", a->state_dir, e) < 0 || set_path("run-dir", a->run_dir, e) < 0)
		return -1;
	return config_finish(&d.config, e);
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	int status = read_arguments(argc, argv, &a);
	struct err e;

	if (status >= 0)
		return status;
	log_open("qvmd", a.foreground ? log_to_stderr : journal_sink(), LOG_INFO);
	if (configure(&a, &e) < 0 || daemon_open(&d, &e) < 0) {
		log_error(&(struct log_about){.err = &e}, "does not start: %s", e.msg);
		return err_exit((enum err_code)e.code);
	}
	if (daemon_run(&d, &e) < 0) {
		log_error(&(struct log_about){.err = &e}, "ends: %s", e.msg);
		status = err_exit((enum err_code)e.code);
	} else {
		status = 0;
	}
	daemon_close(&d);
	return status;
}
