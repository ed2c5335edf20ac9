/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker/peer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
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

static struct peer_link *add(struct peer_set *s, const struct peer_name *own,
			     const struct peer_name *other, struct err *e)
{
	struct peer_link l = {.name = {*own, *other}};
	int bytes = QUEUE_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, l.fd) < 0) {
		err_sys(e, RESOURCE, "make a link between two networks");
		return NULL;
	}
	for (unsigned i = 0; i < 2; i++)
		setsockopt(l.fd[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	if (!s->link || s->n == s->room) {
		s->room = s->room ? s->room * 2 : 8;
		s->link = reallocarray(s->link, s->room, sizeof *s->link);
		if (!s->link)
			abort();
	}
	s->link[s->n] = l;
	return &s->link[s->n++];
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
	if (!l->is_used[!end])
		log_info(&(struct log_about){.vm = own->system},
			 "its network '%s' waits for '%s' of '%s' to name it as peer", own->node,
			 other->node, other->system);
	return 0;
}

static void close_link(struct peer_set *s, size_t i)
{
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
	}
}

void peer_clear(struct peer_set *s)
{
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
