/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vm/dumpsource.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "daemon/worker/resource.h"
#include "schemas/message.h"

struct dumpsource dumpsource_none(void)
{
	return (struct dumpsource){.ram_fd = -1, .dir_fd = -1};
}

static int keep_folder(struct dumpsource *s, const char *path, int *fd, struct err *e)
{
	AUTO_FD int folder = *fd;

	*fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return err_sys(e, RESOURCE, "open '/dev/null'");
	if (s->dir_fd >= 0)
		return 0;
	s->dir_fd = TAKE_FD(folder);
	s->folder = strdup(path);
	if (!s->folder)
		abort();
	return 0;
}

int dumpsource_keep(struct dumpsource *s, const struct msg_want *want, uint32_t n_wants, int *grant,
		    struct err *e)
{
	dumpsource_forget(s);
	for (uint32_t i = 0; i < n_wants; i++) {
		if (want[i].kind == WANT_DUMP && keep_folder(s, want[i].path, &grant[i], e) < 0)
			return -1;
		if (want[i].kind != WANT_RAM)
			continue;
		s->ram_bytes = want[i].bytes;
		if (resource_reopen(grant[i], O_RDONLY, &s->ram_fd, e) < 0)
			return -1;
	}
	return 0;
}

void dumpsource_forget(struct dumpsource *s)
{
	if (s->ram_fd >= 0)
		close(s->ram_fd);
	if (s->dir_fd >= 0)
		close(s->dir_fd);
	free(s->folder);
	*s = dumpsource_none();
}
