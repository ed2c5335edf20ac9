/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/visitor.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "api/api.h"
#include "api/http/http.h"
#include "api/http/request.h"

int visitor_fd(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

	return i ? i->connect_fd : -1;
}

/* A resumed connection is read again, whatever its last edge was. */
static void make_it_read(struct visitor *v)
{
	MHD_suspend_connection(v->connection);
	MHD_resume_connection(v->connection);
	http_wake(v->api->http);
}

static int on_leaving(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct visitor *v = arg;
	struct request *r = v->request;

	(void)s;
	(void)fd;
	v->is_half_closed = true;
	if (!r || r->phase <= REQUEST_BODY) {
		make_it_read(v);
	} else if (events & (EPOLLHUP | EPOLLERR)) {
		r->is_gone = true;
		request_resume(r);
	}
	return 0;
}

struct visitor *visitor_new(struct api *api, struct MHD_Connection *c)
{
	struct visitor *v = calloc(1, sizeof *v);

	if (!v)
		abort();
	*v = (struct visitor){.api = api, .connection = c};
	if (sd_event_add_io(api->loop, &v->source, visitor_fd(c), EPOLLRDHUP | EPOLLET, on_leaving,
			    v) < 0)
		abort();
	return v;
}

void visitor_free(struct visitor *v)
{
	sd_event_source_disable_unref(v->source);
	free(v);
}

struct visitor *visitor_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i ? i->socket_context : NULL;
}

void visitor_is_upgraded(struct visitor *v)
{
	v->source = sd_event_source_disable_unref(v->source);
}

void visitor_is_served(struct visitor *v)
{
	v->request = NULL;
	/* There will be no next request: tell it that there will be no next answer. */
	if (v->is_half_closed)
		shutdown(visitor_fd(v->connection), SHUT_WR);
}
