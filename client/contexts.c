/* SPDX-License-Identifier: Apache-2.0 */
#include "client/contexts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"

const char *const context_key[CONTEXT_FIELDS] = {
	[CONTEXT_HOST] = "host",     [CONTEXT_TOKEN_FILE] = "token-file",
	[CONTEXT_CACERT] = "cacert", [CONTEXT_CERT] = "cert",
	[CONTEXT_KEY] = "key",
};

/* $XDG_CONFIG_HOME must be absolute to count (XDG Base Directory Specification). NULL: no place. */
static char *find_path(struct err *e)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	bool has_xdg = xdg && xdg[0] == '/';
	char *path;

	if (!has_xdg && (!home || home[0] != '/')) {
		err_set(e, USAGE,
			"neither XDG_CONFIG_HOME nor HOME names a folder, so there is no place for "
			"contexts; name the host with -H");
		return NULL;
	}
	if (asprintf(&path, "%s/%sqvm/contexts.conf", has_xdg ? xdg : home,
		     has_xdg ? "" : ".config/") < 0)
		abort();
	return path;
}

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t\r\n");
	n = strlen(s);
	while (n && strchr(" \t\r\n", s[n - 1]))
		s[--n] = '\0';
	return s;
}

static int begin_context(struct contexts *c, char *name, struct err *e)
{
	char *end = strchr(name, ']');
	struct context *x;

	if (!end || end[1])
		return err_set(e, INVALID, "'[%s' is no [NAME]", name);
	*end = '\0';
	if (!name_is_valid(name))
		return err_set(e, INVALID, "'%s' cannot be the name of a context", name);
	for (unsigned i = 0; i < c->n; i++)
		if (!strcmp(c->list[i].name, name))
			return err_set(e, INVALID, "the context '%s' is there twice", name);
	return contexts_add(c, name, &x, e);
}

static int take_value(struct contexts *c, const char *key, const char *value, struct err *e)
{
	struct context *x = c->n ? &c->list[c->n - 1] : NULL;

	if (!x && !strcmp(key, "current")) {
		str_copy(c->current, sizeof c->current, value);
		return 0;
	}
	for (unsigned f = 0; x && f < CONTEXT_FIELDS; f++) {
		if (strcmp(key, context_key[f]) != 0)
			continue;
		free(x->field[f]);
		if (!(x->field[f] = strdup(value)))
			abort();
		return 0;
	}
	return err_set(e, INVALID, "there is no key '%s' here", key);
}

static int take_line(struct contexts *c, char *line, struct err *e)
{
	char *text = trim(line), *equals = strchr(text, '=');

	if (!*text || *text == '#')
		return 0;
	if (*text == '[')
		return begin_context(c, text + 1, e);
	if (!equals)
		return err_set(e, INVALID, "'%s' is no KEY = VALUE", text);
	*equals = '\0';
	return take_value(c, trim(text), trim(equals + 1), e);
}

static int read_file(struct contexts *c, FILE *f, struct err *e)
{
	AUTO_FREE char *line = NULL;
	size_t cap = 0;

	for (unsigned n = 1; getline(&line, &cap, f) >= 0; n++)
		if (take_line(c, line, e) < 0)
			return err_set_at(e, e->code, 0, __FILE__, __LINE__, "%s:%u: %s", c->path,
					  n, e->msg);
	if (ferror(f))
		return err_sys(e, RESOURCE, "read '%s'", c->path);
	for (unsigned i = 0; i < c->n; i++)
		if (!c->list[i].field[CONTEXT_HOST])
			return err_set(e, INVALID, "%s: the context '%s' has no host", c->path,
				       c->list[i].name);
	return 0;
}

/* Whoever can write it decides where our tokens go. */
static int check_owner(const struct contexts *c, FILE *f, struct err *e)
{
	struct stat st;

	if (fstat(fileno(f), &st) < 0)
		return err_sys(e, RESOURCE, "look at '%s'", c->path);
	if ((st.st_uid == geteuid() || st.st_uid == 0) && !(st.st_mode & 022))
		return 0;
	return err_set(
		e, INVALID,
		"'%s' could have been written by somebody else; look at it, then: chown $USER "
		"and chmod 600",
		c->path);
}

static int read_all(struct contexts *c, struct err *e)
{
	AUTO_FILE FILE *f = fopen(c->path, "re");

	if (!f && errno == ENOENT)
		return 0;
	if (!f)
		return err_sys(e, RESOURCE, "open '%s'", c->path);
	return check_owner(c, f, e) < 0 ? -1 : read_file(c, f, e);
}

static struct contexts *make(char *take_path)
{
	struct contexts *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	c->lock = -1;
	c->path = take_path;
	return c;
}

int contexts_read(struct contexts **ret, struct err *e)
{
	AUTO_CONTEXTS struct contexts *c = NULL;
	char *path = find_path(e);

	if (!path)
		return -1;
	c = make(path);
	if (read_all(c, e) < 0)
		return -1;
	*ret = TAKE(c);
	return 0;
}

static int make_folder(const char *path, struct err *e)
{
	AUTO_FREE char *folder = strdup(path);

	if (!folder)
		abort();
	for (char *p = folder + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		if (mkdir(folder, 0700) < 0 && errno != EEXIST)
			return err_sys(e, RESOURCE, "make the folder '%s'", folder);
	}
	return 0;
}

int contexts_open(struct contexts **ret, struct err *e)
{
	AUTO_CONTEXTS struct contexts *c = NULL;
	AUTO_FREE char *folder = NULL;
	char *path = find_path(e);

	if (!path)
		return -1;
	c = make(path);
	if (make_folder(path, e) < 0)
		return -1;
	folder = strndup(path, (size_t)(strrchr(path, '/') - path));
	if (!folder)
		abort();
	c->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->lock < 0 || flock(c->lock, LOCK_EX) < 0)
		return err_sys(e, RESOURCE, "lock the folder of '%s'", c->path);
	if (read_all(c, e) < 0)
		return -1;
	*ret = TAKE(c);
	return 0;
}

static void print(const struct contexts *c, FILE *f)
{
	fputs("# Hosts of qvmadm; `qvmadm context` writes this.\n", f);
	if (*c->current)
		fprintf(f, "current = %s\n", c->current);
	for (unsigned i = 0; i < c->n; i++) {
		fprintf(f, "\n[%s]\n", c->list[i].name);
		for (unsigned k = 0; k < CONTEXT_FIELDS; k++)
			if (c->list[i].field[k])
				fprintf(f, "%s = %s\n", context_key[k], c->list[i].field[k]);
	}
}

int contexts_write(const struct contexts *c, struct err *e)
{
	AUTO_FREE char *draft = NULL;
	AUTO_FILE FILE *f = NULL;
	int fd;

	if (asprintf(&draft, "%s.XXXXXX", c->path) < 0)
		abort();
	fd = mkostemp(draft, O_CLOEXEC); /* mode 0600 */
	if (fd < 0 || !(f = fdopen(fd, "w")))
		return err_sys(e, RESOURCE, "make a file beside '%s'", c->path);
	print(c, f);
	if (fflush(f) == 0 && fsync(fd) == 0 && rename(draft, c->path) == 0 && fsync(c->lock) == 0)
		return 0;
	err_sys(e, RESOURCE, "write '%s'", c->path);
	unlink(draft);
	return -1;
}

static void free_fields(struct context *x)
{
	for (unsigned f = 0; f < CONTEXT_FIELDS; f++)
		free(x->field[f]);
}

void contexts_free(struct contexts *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->n; i++)
		free_fields(&c->list[i]);
	if (c->lock >= 0)
		close(c->lock);
	free(c->path);
	free(c);
}

int contexts_find(struct contexts *c, const char *name, struct context **ret, struct err *e)
{
	struct str_near other = str_near(name);

	for (unsigned i = 0; i < c->n; i++) {
		if (str_try(&other, c->list[i].name) == 0) {
			*ret = &c->list[i];
			return 0;
		}
	}
	if (other.near)
		return err_set(e, INVALID, "there is no context '%s'; did you mean '%s'?", name,
			       other.near);
	return err_set(
		e, INVALID,
		"there is no context '%s'; `qvmadm context list` shows them, `qvmadm context "
		"add %s URL` makes it",
		name, name);
}

int contexts_add(struct contexts *c, const char *name, struct context **ret, struct err *e)
{
	if (c->n == CONTEXTS_MOST)
		return err_set(e, LIMIT, "there are %d contexts already, which is the limit",
			       CONTEXTS_MOST);
	*ret = &c->list[c->n++];
	**ret = (struct context){0};
	str_copy((*ret)->name, sizeof(*ret)->name, name);
	return 0;
}

void contexts_remove(struct contexts *c, struct context *which)
{
	if (!strcmp(c->current, which->name))
		c->current[0] = '\0';
	free_fields(which);
	memmove(which, which + 1, (size_t)(&c->list[c->n] - (which + 1)) * sizeof *which);
	c->n--;
}
