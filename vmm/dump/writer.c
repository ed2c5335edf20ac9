/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/dump/writer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/blackbox.h"
#include "base/sandbox.h"
#include "schemas/cause.h"
#include "vmm/dump/elfcore.h"

enum { FDS_MOST = 16 };

static const struct sandbox_allow writing[] = {
	SANDBOX_CALL(brk),	  SANDBOX_CALL(close),
	SANDBOX_CALL(exit_group), SANDBOX_ARG(fcntl, 1, F_GET_SEALS),
	SANDBOX_CALL(fstat),	  SANDBOX_CALL(newfstatat), /* fstat() of glibc */
	SANDBOX_CALL(ftruncate),  SANDBOX_CALL(lseek),
	SANDBOX_CALL(mmap),	  SANDBOX_CALL(munmap),
	SANDBOX_CALL(pread64),	  SANDBOX_CALL(pwrite64),
	SANDBOX_CALL(write),	  SANDBOX_END,
};

static int write_dump(const struct sandbox_spec *spec, struct err *e)
{
	const struct sandbox_allow *const lists[] = {writing};
	struct blackbox_map box = {0};
	uint32_t layers;
	uint64_t bytes;
	int rc;

	if (sandbox_enter(spec, &layers, e) < 0 || sandbox_filter(lists, NELEMS(lists), e) < 0 ||
	    blackbox_map_reader(WRITER_BOX_FD, &box, e) < 0)
		return -1;
	rc = elfcore_write(&box, WRITER_RAM_FD, WRITER_OUT_FD, &bytes, e);
	blackbox_unmap(&box);
	return rc;
}

int writer_run(const char *uid)
{
	uid_t id = (uid_t)strtoul(uid, NULL, 10);
	struct sandbox_spec spec = {.max_fds = FDS_MOST, .uid = id, .gid = id};
	struct err e;

	signal(SIGXFSZ, SIG_IGN); /* an error of write() says more */
	signal(SIGPIPE, SIG_IGN);
	if (fcntl(WRITER_OUT_FD, F_GETFD) < 0) {
		fputs("qvm: --dump is how qvmd writes a guest dump: fds 3 to 5 must be its own; "
		      "SIGUSR2 has a lone qvm dump its guest\n",
		      stderr);
		return cause_exit(CAUSE_CONFIGURATION);
	}
	if (write_dump(&spec, &e) == 0) {
		struct stat st = {0};

		fstat(WRITER_OUT_FD, &st);
		dprintf(STDOUT_FILENO, "%lld\n", (long long)st.st_blocks * 512);
		return 0;
	}
	dprintf(STDERR_FILENO, "%s\n", e.msg);
	return cause_exit(CAUSE_RESOURCE);
}
