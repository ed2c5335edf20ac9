/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/peer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/recall.h"
#include "daemon/worker/resource.h"

enum { QUEUE_BYTES = 1024 * 1024 }; /* of frames on their way, as far as the host allows */

static struct peer_link *find(const struct peer_set *s, const struct peer_name *own,
			      const struct peer_name *other, unsigned *ret_end)
{
	for (size_t i = 0; i < s->n; i++) {
		struct peer_link *l = &s->link[i];

		for (unsigned end = 0; end < 2; end++) {
			if (peer_compare(&l->name[end], own) || peer_compare(&l->name[!end], other))
				continue;
			*ret_end = end;
			return l;
		}
	}
	return NULL;
}

static void keep_link(const struct peer_set *s, const struct peer_link *l)
{
	struct note_peer n = {.is_used = {l->is_used[0], l->is_used[1]}};

	for (unsigned end = 0; end < 2; end++) {
		str_copy(n.system[end], sizeof n.system[end], l->name[end].system);
		str_copy(n.node[end], sizeof n.node[end], l->name[end].node);
	}
	for (unsigned end = 0; end < 2; end++)
		keep_put(s->keep, &(struct msg_keep){.kind = KEEP_PEER, .tag = 2 * l->id + end}, &n,
			 sizeof n, l->fd[end]);
}

void peer_keep(const struct peer_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		keep_link(s, &s->link[i]);
}

static struct peer_link *append(struct peer_set *s, const struct peer_link *l)
{
	if (!s->link || s->n == s->room) {
		s->room = s->room ? s->room * 2 : 8;
		s->link = reallocarray(s->link, s->room, sizeof *s->link);
		if (!s->link)
			abort();
	}
	s->link[s->n] = *l;
	return &s->link[s->n++];
}

void peer_recall(struct peer_set *s, struct recall *r)
{
	struct kept *k;
	size_t at = 0;

	while ((k = recall_next(r, KEEP_PEER, &at))) {
		struct peer_link l = {.id = k->m.tag / 2};
		struct note_peer n;

		/* Both ends, or none: the even one leads. */
		if (k->m.tag % 2)
			continue;
		memcpy(&n, k->m.note, sizeof n);
		for (unsigned end = 0; end < 2; end++) {
			n.system[end][sizeof n.system[end] - 1] = '\0';
			n.node[end][sizeof n.node[end] - 1] = '\0';
			str_copy(l.name[end].system, sizeof l.name[end].system, n.system[end]);
			str_copy(l.name[end].node, sizeof l.name[end].node, n.node[end]);
			l.is_used[end] = n.is_used[end];
		}
		l.fd[1] = recall_take(r, "", 0, KEEP_PEER, k->m.tag + 1);
		if (l.fd[1] < 0)
			continue;
		l.fd[0] = recall_take(r, "", 0, KEEP_PEER, k->m.tag);
		if (l.id > s->last_id)
			s->last_id = l.id;
		append(s, &l);
	}
}

static struct peer_link *add(struct peer_set *s, const struct peer_name *own,
			     const struct peer_name *other, struct err *e)
{
	struct peer_link l = {.id = ++s->last_id, .name = {*own, *other}};
	int bytes = QUEUE_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, l.fd) < 0) {
		err_sys(e, RESOURCE, "make a link between two networks");
		return NULL;
	}
	for (unsigned i = 0; i < 2; i++)
		setsockopt(l.fd[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	return append(s, &l);
}

int peer_join(struct peer_set *s, const struct peer_name *own, const struct peer_name *other,
	      int *ret_fd, struct err *e)
{
	unsigned end = 0;
	struct peer_link *l = find(s, own, other, &end);

	if (!l)
		l = add(s, own, other, e);
	if (!l)
		return -1;
	if (l->is_used[end])
		return err_set(
			e, RESOURCE,
			"two vdevs are named '%s' and have the same peer: give each a `name` "
			"of its own",
			own->node);
	*ret_fd = fcntl(l->fd[end], F_DUPFD_CLOEXEC, 3);
	if (*ret_fd < 0)
		return err_sys(e, RESOURCE, "copy an end of a link between two networks");
	l->is_used[end] = true;
	keep_link(s, l);
	if (!l->is_used[!end])
		log_info(&(struct log_about){.vm = own->system},
			 "its network '%s' waits for '%s' of '%s' to name it as peer", own->node,
			 other->node, other->system);
	return 0;
}

static void close_link(struct peer_set *s, size_t i)
{
	for (unsigned end = 0; end < 2; end++)
		keep_drop(s->keep,
			  &(struct msg_drop){.kind = KEEP_PEER, .tag = 2 * s->link[i].id + end});
	close(s->link[i].fd[0]);
	close(s->link[i].fd[1]);
	s->link[i] = s->link[--s->n];
}

void peer_leave(struct peer_set *s, const char *vm)
{
	static const char down = PEER_DOWN;

	for (size_t i = s->n; i-- > 0;) {
		struct peer_link *l = &s->link[i];

		for (unsigned end = 0; end < 2; end++) {
			if (!l->is_used[end] || strcmp(l->name[end].system, vm) != 0)
				continue;
			l->is_used[end] = false;
			/* Said in its name. A full queue means that nobody listens. */
			send(l->fd[end], &down, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		}
		if (!l->is_used[0] && !l->is_used[1])
			close_link(s, i);
		else
			keep_link(s, l);
	}
}

void peer_clear(struct peer_set *s)
{
	s->keep = NULL; /* which goes on keeping what is still used */
	while (s->n)
		close_link(s, s->n - 1);
	free(s->link);
	*s = (struct peer_set){0};
}

/* The VM is who it is; the rest is the worker's word. */
static int names(const struct resource *r, struct peer_name *ret_own, struct peer_name *ret_other,
		 struct err *e)
{
	str_copy(ret_own->system, sizeof ret_own->system, r->vm);
	if (peer_parse_want(r->want->path, ret_other, ret_own->node, e) < 0)
		return -1;
	if (peer_compare(ret_own, ret_other) == 0)
		return err_set(e, RESOURCE, "the network '%s' of '%s' is its own peer",
			       ret_own->node, r->vm);
	return 0;
}

static int probe_peer(const struct resource *r, struct err *e)
{
	struct peer_name own, other;

	return names(r, &own, &other, e);
}

static int make_peer(const struct resource *r, int *ret_fd, struct err *e)
{
	struct peer_name own, other;

	return names(r, &own, &other, e) < 0 ? -1 : peer_join(r->peers, &own, &other, ret_fd, e);
}

const struct resource_kind peer_kind = {probe_peer, NULL, make_peer};
