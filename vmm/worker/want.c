/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/want.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "schemas/message.h"
#include "vmm/conf/board.h"
#include "vmm/vdev/hostdev.h"
#include "vmm/vdev/vdev.h"

static int add(struct want_list *l, const struct want *w, struct err *e)
{
	if (l->n == MESSAGE_WANTS_MAX)
		return err_set(e, CONFIG, "the configuration names more than %d host resources",
			       MESSAGE_WANTS_MAX);
	l->want[l->n++] = *w;
	return 0;
}

static int add_vdev(struct want_list *l, struct vdev *d, bool is_supervised, struct err *e)
{
	struct want w = {.line = d->line};

	snprintf(w.option, sizeof w.option, "%s%.25s", d->class->is_pass ? "" : "vdev ",
		 d->class->name);
	if (d->hostdev)
		w.delayed_s = d->hostdev->delayed_s;
	for (unsigned i = 0; i < d->n_wants; i++) {
		if (is_supervised && !strcmp(d->want[i].path, "-"))
			continue;
		w.kind = d->want[i].kind;
		w.path = d->want[i].path;
		w.fd = &d->want[i].fd;
		if (add(l, &w, e) < 0)
			return -1;
	}
	return 0;
}

int want_collect(struct board *b, bool is_supervised, struct want_list *ret, struct err *e)
{
	uint64_t bytes = board_memory_bytes(b, false) + board_memory_bytes(b, true);
	const struct want always[] = {
		{.kind = WANT_KVM, .option = "kvm", .path = "/dev/kvm", .fd = &ret->kvm_fd},
		{.kind = WANT_RAM, .option = "ram", .path = "", .bytes = bytes, .fd = &ret->ram_fd},
		{.kind = WANT_BLACKBOX, .option = "black box", .path = "", .fd = &ret->box_fd},
	};

	*ret = (struct want_list){.kvm_fd = -1, .ram_fd = -1, .box_fd = -1};
	ret->want = calloc(MESSAGE_WANTS_MAX, sizeof *ret->want);
	if (!ret->want)
		abort();
	for (unsigned i = 0; i < NELEMS(always); i++)
		if (add(ret, &always[i], e) < 0)
			return -1;
	for (unsigned i = 0; i < b->n_loads; i++) {
		struct board_load *load = &b->load[i];
		struct want w = {.kind = WANT_IMAGE,
				 .option = "load",
				 .line = load->line,
				 .path = load->path,
				 .fd = &load->fd};

		if (add(ret, &w, e) < 0)
			return -1;
	}
	if (b->dump[0] && b->dump[0] != '|') {
		struct want w = {.kind = WANT_DUMP,
				 .option = "dump",
				 .line = b->dump_line,
				 .path = b->dump,
				 .fd = &b->dump_fd};

		if (add(ret, &w, e) < 0)
			return -1;
	}
	for (unsigned i = 0; i < b->n_vdevs; i++)
		if (add_vdev(ret, b->vdev[i], is_supervised, e) < 0)
			return -1;
	return 0;
}

const struct want *want_missing(const struct want_list *l)
{
	for (unsigned i = 0; i < l->n; i++)
		if (*l->want[i].fd < 0)
			return &l->want[i];
	return NULL;
}

void want_free(struct want_list *l)
{
	const int own[] = {l->kvm_fd, l->ram_fd, l->box_fd};

	for (unsigned i = 0; l->want && i < NELEMS(own); i++)
		if (own[i] >= 0)
			close(own[i]);
	free(l->want);
	*l = (struct want_list){.kvm_fd = -1, .ram_fd = -1, .box_fd = -1};
}
