/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qvm - one virtual machine, one process. From a shell (alone.h) or under qvmd (link.h).
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/trust.h"
#include "schemas/cause.h"
#include "vmm/dump/writer.h"
#include "vmm/shmem/server.h"
#include "vmm/worker/alone.h"
#include "vmm/conf/option.h"
#include "vmm/vdev/plugin.h"
#include "vmm/worker/link.h"
#include "vmm/worker/report.h"

static const char help[] =
	"usage: qvm [@FILE | OPTION ARG ...]...\n"
	"\n"
	"Runs one virtual machine until it ends. @FILE is a configuration (*.qvmconf); options "
	"and\n"
	"files are read from left to right as one configuration.\n"
	"\n"
	"  qvm @guest.qvmconf           run it\n"
	"  qvm @guest.qvmconf dryrun    check it and the files it names, show the plan; run "
	"nothing\n"
	"  qvm --no-host ... dryrun     the same without a look at this host\n"
	"  qvm help [OPTION]            the configuration language, or one option of it; also\n"
	"                               `help vdev NAME` and `help set VARIABLE`\n"
	"  qvm help --man               the manual page qvmconf(5)\n"
	"  qvm --json ...               findings and plan as JSON on standard output\n"
	"  qvm --version\n"
	"\n"
	"Signals: TERM and INT press the power button, a second one ends the VM; QUIT cuts the\n"
	"power; USR1 logs a status, USR2 dumps the guest, which goes on; HUP is ignored.\n"
	"Exit status: 0 the guest switched off or asked for a restart, 3 power cut, 4 watchdog,\n"
	"5 unsupported operation, 6 vdev error, 7 unexpected error, 32-63 a vdev's own,\n"
	"64 not started (dryrun: would not start here), 65 configuration error,\n"
	"96 error after the start.\n";

/* The vdevs in shared objects. What is wrong with the folder is said where one of them is named. */
static void open_vdevs(void)
{
	const char *folder = getenv("QVM_VDEV_FOLDER");
	struct err e = {0};
	int fd = trust_open_folder(folder ? folder : "/usr/lib/qvm/vdev", &e);
	bool is_absent = fd < 0 && !folder && e.os_errno == ENOENT;

	if (!is_absent)
		plugin_open(fd, &e);
}

static void no_help(const char *topic)
{
	const char *near = option_help_near(topic);

	fprintf(stderr, "qvm: '%s' is no option, variable or vdev; ", topic);
	if (near)
		fprintf(stderr, "did you mean `qvm help %s`?\n", near);
	else
		fprintf(stderr, "`qvm help` lists them all\n");
}

static int show_help(int argc, char **argv)
{
	int rc = 0;

	if (argc == 1 && !strcmp(argv[0], "--man")) {
		option_man(stdout); /* of qvm, on whatever host */
		return 0;
	}
	open_vdevs();
	plugin_load(NULL, 0); /* to be shown with the others */
	if (argc == 0)
		return option_help(NULL, stdout);
	if (!strcmp(argv[0], "--words") && argc <= 3) {
		option_words((const char *const *)argv + 1, argc - 1, stdout);
		return 0;
	}
	/* `help vdev NAME`, `help set VARIABLE`: about that one. */
	if (argc > 1 && (!strcmp(argv[0], "vdev") || !strcmp(argv[0], "set"))) {
		argc--;
		argv++;
	}
	for (int i = 0; i < argc; i++) {
		if (option_help(argv[i], stdout) == 0)
			continue;
		rc = cause_exit(CAUSE_CONFIGURATION);
		if (plugin_refusal(argv[i])) {
			fprintf(stderr, "qvm: %s\n", plugin_refusal(argv[i]));
			continue;
		}
		if (plugin_folder_refusal())
			fprintf(stderr, "qvm: vdevs of this host: %s\n", plugin_folder_refusal());
		no_help(argv[i]);
	}
	return rc;
}

/* What was asked for is the output: one that could not be written is no success. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	perror("qvm: write to the standard output");
	return status ? status : cause_exit(CAUSE_RESOURCE);
}

static bool is_stdout_closed;

/* Of what tells something and does nothing, the output is all. */
static int told(int status)
{
	if (!is_stdout_closed)
		return finish(status);
	fputs("qvm: the standard output is closed: nothing could be written\n", stderr);
	return cause_exit(CAUSE_RESOURCE);
}

/* The supervised form is qvmd's: by hand there is no link on fd 3. */
static int supervised(void)
{
	int type = 0;
	socklen_t n = sizeof type;

	if (getsockopt(LINK_FD, SOL_SOCKET, SO_TYPE, &type, &n) < 0 || type != SOCK_SEQPACKET) {
		fputs("qvm: --supervised is how qvmd starts a worker: fd 3 must be its link; "
		      "from a shell, write qvm @FILE\n",
		      stderr);
		return cause_exit(CAUSE_CONFIGURATION);
	}
	return link_run();
}

/* With a standard fd closed, the next file opened would become it: the guest would print into it. */
static int fill_standard_fds(void)
{
	int fd = STDIN_FILENO;

	while (fd <= STDERR_FILENO && fcntl(fd, F_GETFD) >= 0)
		fd++;
	if (fd > STDERR_FILENO)
		return 0;
	is_stdout_closed |= fd == STDOUT_FILENO;
	/* The lowest free number is taken: the missing one. */
	return open("/dev/null", O_RDWR) == fd ? fill_standard_fds() : -1;
}

int main(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";

	if (fill_standard_fds() < 0)
		return cause_exit(CAUSE_START_FAILED); /* there may be nowhere to say so */
	report_open();
	/* An arena of a thread asks /proc how to shrink when it frees much; the sandbox has none. */
	mallopt(M_ARENA_MAX, 1);
	tzset(); /* libc reads /etc/localtime before its first date: the clock vdev's, in the sandbox */
	if (argc < 2) {
		fputs(help, stderr);
		return cause_exit(CAUSE_CONFIGURATION);
	}
	if (!strcmp(first, "--help") || !strcmp(first, "-h")) {
		fputs(help, stdout);
		return told(0);
	}
	if (!strcmp(first, "--version")) {
		puts("qvm " QVM_VERSION);
		return told(0);
	}
	if (!strcmp(first, "help"))
		return told(show_help(argc - 2, argv + 2));
	if (!strcmp(first, "--supervised") && argc == 2)
		return supervised();
	if (!strcmp(first, "--dump") && argc == 3)
		return writer_run(argv[2]);
	if (!strcmp(first, "--shmem") && argc == 3)
		return shmem_server_run(argv[2]);
	open_vdevs();
	return finish(alone_run(argc - 1, argv + 1));
}
