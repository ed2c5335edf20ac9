/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/dial.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/dialer.h"
#include "base/str.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/recall.h"
#include "daemon/timer.h"
#include "daemon/worker/resource.h"

enum { BURST = 32, PERIOD_MS = 250 }; /* at most so many in that time */

struct dial {
	struct dial_set *set;
	struct dial *next;
	uint64_t id; /* both are kept under it */
	int link, folder;
	char prefix[NAME_MAX + 1];
	unsigned n_served; /* since the timer was set */
	sd_event_source *source, *timer;
};

static void keep_one(const struct dial *d)
{
	struct msg_keep key = {.kind = KEEP_DIAL_FOLDER, .tag = d->id};

	keep_put(d->set->keep, &key, NULL, 0, d->folder);
	key.kind = KEEP_DIAL;
	keep_put(d->set->keep, &key, d->prefix, strlen(d->prefix), d->link);
}

void dial_keep(const struct dial_set *s)
{
	for (const struct dial *d = s->first; d; d = d->next)
		keep_one(d);
}

static void dial_close(struct dial *d)
{
	struct dial **at = &d->set->first;

	keep_drop(d->set->keep, &(struct msg_drop){.kind = KEEP_DIAL, .tag = d->id});
	keep_drop(d->set->keep, &(struct msg_drop){.kind = KEEP_DIAL_FOLDER, .tag = d->id});

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	sd_event_source_disable_unref(d->source);
	timer_clear(&d->timer);
	close(d->link);
	close(d->folder);
	free(d);
}

static int on_period(sd_event_source *s, uint64_t us, void *arg)
{
	struct dial *d = arg;

	(void)s;
	(void)us;
	d->n_served = 0;
	sd_event_source_set_io_events(d->source, EPOLLIN);
	return 0;
}

/* A link at which nothing waits sets no timer. */
static int on_request(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct dial *d = arg;
	int r = 1;

	(void)s;
	if (!(events & EPOLLIN)) {
		dial_close(d);
		return 0;
	}
	while (d->n_served < BURST && (r = dialer_serve(fd, d->folder, d->prefix)) == 1)
		if (d->n_served++ == 0)
			timer_set(d->set->loop, &d->timer, PERIOD_MS, on_period, d);
	if (r < 0)
		dial_close(d);
	else if (d->n_served == BURST)
		sd_event_source_set_io_events(d->source, 0);
	return 0;
}

/* Both descriptors are taken. */
static struct dial *serve(struct dial_set *s, uint64_t id, int link, int folder, const char *prefix)
{
	struct dial *d = calloc(1, sizeof *d);

	if (!d)
		abort();
	*d = (struct dial){.set = s, .next = s->first, .id = id, .link = link, .folder = folder};
	str_copy(d->prefix, sizeof d->prefix, prefix);
	if (sd_event_add_io(s->loop, &d->source, d->link, EPOLLIN, on_request, d) < 0)
		abort(); /* out of memory: crash-only */
	s->first = d;
	if (id > s->last_id)
		s->last_id = id;
	return d;
}

void dial_recall(struct dial_set *s, struct recall *r)
{
	struct kept *k;
	size_t at = 0;

	while ((k = recall_next(r, KEEP_DIAL, &at))) {
		int folder = recall_take(r, "", 0, KEEP_DIAL_FOLDER, k->m.tag);

		if (folder < 0)
			continue;
		k->m.note[NAME_MAX] = '\0';
		serve(s, k->m.tag, recall_take(r, "", 0, KEEP_DIAL, k->m.tag), folder,
		      (const char *)k->m.note);
	}
}

int dial_open(struct dial_set *s, int take_folder_fd, const char *prefix, int *ret_fd,
	      struct err *e)
{
	AUTO_FD int folder = take_folder_fd;
	int link[2];

	if (dialer_pair(link, e) < 0)
		return -1;
	keep_one(serve(s, s->last_id + 1, link[0], TAKE_FD(folder), prefix));
	*ret_fd = link[1];
	return 0;
}

void dial_clear(struct dial_set *s)
{
	s->keep = NULL; /* which goes on keeping what is still used */
	while (s->first)
		dial_close(s->first);
}

static int probe_dial(const struct resource *r, struct err *e)
{
	char name[NAME_MAX + 1];
	AUTO_FD int folder = -1;

	return resource_folder(r, name, &folder, e);
}

static int open_dial(const struct resource *r, int *ret_fd, struct err *e)
{
	char name[NAME_MAX + 1];

	return resource_folder(r, name, ret_fd, e);
}

/* The folder becomes a link to what is served in it. */
static int make_dial(const struct resource *r, int *fd, struct err *e)
{
	const char *slash = strrchr(r->want->path, '/');
	int folder = TAKE_FD(*fd);

	return dial_open(r->dials, folder, slash ? slash + 1 : r->want->path, fd, e);
}

const struct resource_kind dial_kind = {probe_dial, open_dial, make_dial};
