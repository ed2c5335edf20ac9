/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/listing.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/http/request.h"
#include "api/view/db.h"
#include "api/view/object.h"
#include "api/view/view.h"
#include "api/view/vm.h"
#include "base/auto.h"
#include "base/digest.h"

/* Rows whose ids meet in a slot take it from each other; a row of very long texts is not kept. */
enum { SLOTS = 16384, KEY_MOST = 4096, TAG = 40, TAG_DIGITS = 32 };

struct entry {
	size_t n_key, n_text;
	char bytes[]; /* the row, then the text that was made of it */
};

struct listing {
	struct entry *slot[SLOTS];
};

struct listing *listing_new(void)
{
	struct listing *l = calloc(1, sizeof *l);

	if (!l)
		abort();
	return l;
}

void listing_free(struct listing *l)
{
	for (size_t i = 0; l && i < SLOTS; i++)
		free(l->slot[i]);
	free(l);
}

static struct entry *make(struct db *d, struct sqlite3_stmt *q, const char *key, size_t n_key,
			  struct err *e)
{
	AUTO_FREE char *text = NULL;
	json_t *vm;
	struct entry *x;
	size_t n;

	if (vm_of_row(d, q, &vm, e) < 0)
		return NULL;
	text = json_dumps(vm, JSON_COMPACT);
	json_decref(vm);
	n = text ? strlen(text) : 0;
	x = text ? malloc(sizeof *x + n_key + n) : NULL;
	if (!x)
		abort();
	*x = (struct entry){.n_key = n_key, .n_text = n};
	memcpy(x->bytes, key, n_key);
	memcpy(x->bytes + n_key, text, n);
	return x;
}

static int write_vm(struct listing *l, struct db *d, struct sqlite3_stmt *q, FILE *to,
		    struct err *e)
{
	struct entry **slot = &l->slot[(uint64_t)db_int(q, 0) % SLOTS], *x = *slot;
	char key[KEY_MOST];
	size_t n_key = db_key(q, key, sizeof key);

	if (!x || n_key == 0 || x->n_key != n_key || memcmp(x->bytes, key, n_key) != 0) {
		x = make(d, q, key, n_key, e);
		if (!x)
			return -1;
		free(*slot);
		*slot = x;
	}
	fwrite(x->bytes + x->n_key, 1, x->n_text, to);
	return 0;
}

/* What the list says can only have changed when the database has, or the host, or who asks. */
static int tag_of(const struct request *r, char ret[static TAG], struct err *e)
{
	const struct msg_host_state *h = &r->api->host;
	struct db *d = r->api->db;
	struct sqlite3_stmt *q = db_query(d, version);
	char digest[DIGEST_HEX], text[NAME_CAP + 96];
	int got = db_row(d, q, e), n;

	if (got <= 0)
		return -1; /* a PRAGMA has always its row */
	n = snprintf(text, sizeof text, "%" PRIu64 " %" PRId64 " %d %" PRId64 " %s",
		     r->api->started_ms, db_int(q, 0), h->is_safe != 0, h->since_ms,
		     r->grant.scope);
	db_leave(q);
	digest_hex(text, (size_t)n, digest);
	snprintf(ret, TAG, "\"%.*s\"", TAG_DIGITS, digest);
	return 0;
}

static void write_member(FILE *f, enum field member, const char *value)
{
	AUTO_JSON json_t *text = object_string(value, strlen(value));

	fprintf(f, ",\"%s\":", resource_fields[member].name);
	json_dumpf(text, f, JSON_ENCODE_ANY);
}

static int write_list(const struct request *r, FILE *f, struct err *e)
{
	struct db *d = r->api->db;
	int64_t limit = param_number(&r->params, PARAM_OF_vm_list_limit), n = 0;
	const char *after = param_text(&r->params, PARAM_OF_vm_list_after);
	char last[NAME_CAP] = "";
	struct sqlite3_stmt *q;
	int got;

	q = db_query(d, vms, DB_TEXT(after), DB_INT(limit + 1), DB_TEXT(r->grant.scope));
	fprintf(f, "{\"%s\":[", resource_fields[FIELD_vm_list_vms].name);
	while ((got = db_row(d, q, e)) > 0 && n < limit) {
		if (n++)
			fputc(',', f);
		if (write_vm(r->api->listing, d, q, f, e) < 0) {
			db_leave(q);
			return -1;
		}
		snprintf(last, sizeof last, "%s", db_text(q, 1));
	}
	if (got < 0)
		return -1;
	fputc(']', f);
	if (r->api->host.is_safe)
		write_member(f, FIELD_vm_list_host, r->api->host.what);
	if (got > 0) {
		write_member(f, FIELD_vm_list_next, last);
		db_leave(q);
	}
	fputc('}', f);
	return 0;
}

int view_vm_list(struct request *r, struct err *e)
{
	AUTO_SNAPSHOT struct db_snapshot s = {0};
	char *text = NULL, tag[TAG];
	size_t n = 0;
	FILE *f;
	int result;

	if (db_begin(r->api->db, e) < 0)
		return -1;
	s.db = r->api->db;
	if (tag_of(r, tag, e) < 0)
		return -1;
	if (strstr(param_text(&r->params, PARAM_OF_vm_list_match), tag)) {
		request_answer_nothing(r, 304);
		request_header(r, "ETag", tag);
		return 0;
	}
	f = open_memstream(&text, &n);
	if (!f)
		abort();
	result = write_list(r, f, e);
	if (fclose(f) != 0)
		abort();
	if (result < 0) {
		free(text);
		return -1;
	}
	request_answer_text(r, 200, "application/json", text, n);
	request_header(r, "ETag", tag);
	return 0;
}
