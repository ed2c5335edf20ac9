/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "api/http/http.h"
#include "api/http/lease.h"
#include "api/http/range.h"
#include "api/http/request.h"
#include "api/view/db.h"
#include "api/view/object.h"
#include "base/auto.h"
#include "base/str.h"

enum { DOWNLOADS_MOST = 32 };

/* --- the list --- */

static int by_age(const void *left, const void *right)
{
	const struct msg_dump *a = left, *b = right;

	return (a->at_ms < b->at_ms) - (a->at_ms > b->at_ms);
}

static int64_t percent(const struct msg_dump *x)
{
	uint64_t most = x->needed_bytes ? x->needed_bytes : 1;

	if (!x->is_unfinished)
		return 100;
	return x->disk_bytes < most ? (int64_t)((double)x->disk_bytes * 100 / (double)most) : 99;
}

static int add_incident(struct db *d, json_t *o, const struct msg_dump *x, const char *vm,
			struct err *e)
{
	char path[sizeof x->folder + sizeof x->name + 1];
	struct sqlite3_stmt *q;
	int got;

	snprintf(path, sizeof path, "%s/%s", x->folder, x->name);
	q = db_query(d, incident_of_dump, DB_TEXT(vm), DB_TEXT(path));
	got = db_row(d, q, e);
	if (got > 0) {
		object_int(o, FIELD_dump_incident, db_int(q, 0));
		object_word(o, FIELD_dump_cause, db_text(q, 1));
		db_leave(q);
	}
	return got < 0 ? -1 : 0;
}

static json_t *dump_object(const struct msg_dump *x)
{
	json_t *o = object_new();

	object_text(o, FIELD_dump_name, x->name);
	object_text(o, FIELD_dump_folder, x->folder);
	object_word(o, FIELD_dump_state, x->is_unfinished ? "writing" : "whole");
	object_int(o, FIELD_dump_bytes, (int64_t)x->bytes);
	object_int(o, FIELD_dump_disk_bytes, (int64_t)x->disk_bytes);
	object_int(o, FIELD_dump_done, percent(x));
	object_time(o, FIELD_dump_at, x->at_ms);
	object_text(o, FIELD_dump_etag, x->tag);
	return o;
}

/* *ret is NULL when there are none. */
static int read_list(int fd, struct msg_dump **ret, size_t *ret_n, struct err *e)
{
	struct stat st;
	size_t bytes;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size % (off_t)sizeof **ret)
		return err_set(e, PROTOCOL, "the supervisor sent no list of dumps");
	bytes = (size_t)st.st_size;
	*ret = malloc(bytes + 1);
	if (!*ret)
		abort();
	*ret_n = bytes / sizeof **ret;
	if (pread(fd, *ret, bytes, 0) == (ssize_t)bytes)
		return 0;
	free(*ret);
	return err_sys(e, INTERNAL, "read the list of dumps");
}

int dump_answer_list(struct request *r, int fd, struct err *e)
{
	AUTO_JSON json_t *o = object_new(), *list = object_list();
	AUTO_FREE struct msg_dump *dump = NULL;
	size_t n = 0;

	if (read_list(fd, &dump, &n, e) < 0)
		return -1;
	if (n)
		qsort(dump, n, sizeof *dump, by_age);
	for (size_t i = 0; i < n; i++) {
		json_t *x = dump_object(&dump[i]);

		object_append(list, x);
		if (add_incident(r->api->db, x, &dump[i], request_vm(r), e) < 0)
			return -1;
	}
	object_take(o, FIELD_dump_list_dumps, json_incref(list));
	request_answer_json(r, 200, json_incref(o));
	return 0;
}

/* --- a download --- */

struct download {
	struct api *api;
	struct lease lease;
	bool is_over; /* its right has ended */
	int fd;
	uint64_t first;
	uint64_t data, hole; /* from `data` to `hole` there is data, before `data` a hole */
};

static void look_around(struct download *x, uint64_t at)
{
	off_t data = lseek(x->fd, (off_t)at, SEEK_DATA);

	x->data = data < 0 ? UINT64_MAX : (uint64_t)data; /* none is behind it */
	x->hole = data < 0 ? UINT64_MAX : (uint64_t)lseek(x->fd, data, SEEK_HOLE);
}

/* What was never written costs no reading: the disk is not asked for it, nor is it cached. */
static ssize_t read_some(void *arg, uint64_t pos, char *bytes, size_t most)
{
	struct download *x = arg;
	uint64_t at = x->first + pos;
	ssize_t n;

	if (x->is_over)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (at >= x->hole)
		look_around(x, at);
	if (at < x->data) {
		n = (ssize_t)(x->data - at < most ? x->data - at : most);
		memset(bytes, 0, (size_t)n);
		return n;
	}
	n = pread(x->fd, bytes, most, (off_t)at);
	/* It was cut meanwhile, or the disk has an error: the client sees that bytes are missing. */
	return n > 0 ? n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void on_end(void *arg, const struct err *why)
{
	struct download *x = arg;

	(void)why; /* the next request gets to hear it */
	x->is_over = true;
}

static void download_free(void *arg)
{
	struct download *x = arg;

	lease_drop(&x->lease);
	close(x->fd);
	http_held(x->api->http, -1);
	x->api->n_downloads--;
	free(x);
}

static void tell_file(struct request *r, const char *tag)
{
	char text[DUMPFILE_NAME + 32];

	request_header(r, "Accept-Ranges", "bytes");
	snprintf(text, sizeof text, "\"%s\"", tag);
	request_header(r, "ETag", text);
	snprintf(text, sizeof text, "attachment; filename=\"%s\"", r->route.dump);
	request_header(r, "Content-Disposition", text);
}

static enum range_kind wanted(const struct request *r, const char *tag, uint64_t size,
			      struct range *ret)
{
	const char *text = param_text(&r->params, PARAM_OF_dump_get_range);
	const char *only = param_text(&r->params, PARAM_OF_dump_get_if_range);
	char quoted[DUMPFILE_TAG + 2];

	snprintf(quoted, sizeof quoted, "\"%s\"", tag);
	/* Of another file they want all. A date is no match either: it is none of ours. */
	return range_read(*only && strcmp(only, quoted) != 0 ? "" : text, size, ret);
}

int dump_answer_file(struct request *r, int take_fd, struct err *e)
{
	AUTO_FD int fd = take_fd;
	char tag[DUMPFILE_TAG], place[80];
	struct download *x;
	struct range part;
	struct stat st;
	enum range_kind kind;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, PROTOCOL, "the supervisor sent no dump");
	if (r->api->n_downloads >= DOWNLOADS_MOST)
		return err_set(e, LIMIT, "%d downloads are under way, no more are at once",
			       DOWNLOADS_MOST);
	dumpfile_tag(&st, tag);
	kind = wanted(r, tag, (uint64_t)st.st_size, &part);
	if (kind == RANGE_NONE) {
		err_set(e, RANGE, "'%s' has %" PRId64 " bytes, none of which is in '%s'",
			r->route.dump, (int64_t)st.st_size,
			param_text(&r->params, PARAM_OF_dump_get_range));
		snprintf(place, sizeof place, "bytes */%" PRId64, (int64_t)st.st_size);
		request_answer_problem(r, e, NULL);
		request_header(r, "Content-Range", place);
		return 0;
	}
	x = calloc(1, sizeof *x);
	if (!x)
		abort();
	*x = (struct download){.api = r->api, .fd = TAKE_FD(fd), .first = part.first};
	http_held(r->api->http, 1);
	r->api->n_downloads++;
	lease_take(&x->lease, r, on_end, x);
	request_answer_sized(r, kind == RANGE_PART ? 206 : 200, "application/octet-stream",
			     part.bytes, read_some, download_free, x);
	tell_file(r, tag);
	if (kind != RANGE_PART)
		return 0;
	snprintf(place, sizeof place, "bytes %" PRIu64 "-%" PRIu64 "/%" PRId64, part.first,
		 part.first + part.bytes - 1, (int64_t)st.st_size);
	request_header(r, "Content-Range", place);
	return 0;
}
