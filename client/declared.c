/* SPDX-License-Identifier: Apache-2.0 */
#include "client/declared.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "client/command.h"
#include "client/setting.h"
#include "client/show/field.h"
#include "client/show/finding.h"
#include "client/show/problem.h"

#define CONFIG ".qvmconf"
#define POLICY ".policy"

static void broken(struct declared_list *l, const struct err *e)
{
	int status = problem_local(e, false);

	if (!l->status)
		l->status = e->code == ERR_RESOURCE ? status : err_exit(ERR_CONFIG);
}

static bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && !strcmp(s + n - m, suffix);
}

static struct declared *add(struct declared_list *l)
{
	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 16;
		l->item = reallocarray(l->item, l->room, sizeof *l->item);
		if (!l->item)
			abort();
	}
	l->item[l->n] = (struct declared){0};
	return &l->item[l->n++];
}

/* The VM that a file is about: its name without the suffix. */
static int name_of(const char *path, char ret[static NAME_CAP], struct err *e)
{
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
	size_t n = strlen(file) - strlen(CONFIG);

	if (!ends_with(file, CONFIG))
		return err_set(e, USAGE,
			       "'%s' is no configuration: name a NAME" CONFIG
			       ", or a folder of them",
			       path);
	snprintf(ret, NAME_CAP, "%.*s", n < NAME_CAP ? (int)n : NAME_CAP - 1, file);
	if (n >= NAME_CAP || !name_is_valid(ret))
		return err_set(
			e, USAGE,
			"'%s': '%.*s' cannot be the name of a VM: up to 63 of a-z 0-9 . _ -, "
			"the first a letter or digit",
			path, (int)n, file);
	return 0;
}

/* Beside its configuration; that there is none is no error. */
static void read_policy(struct declared_list *l, struct declared *x)
{
	AUTO_SOURCE struct source s = {0};
	AUTO_JSON json_t *read = NULL;
	AUTO_FREE char *path = NULL;
	struct err e;

	if (asprintf(&path, "%.*s%s", (int)(strlen(x->path) - strlen(CONFIG)), x->path, POLICY) < 0)
		abort();
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return;
	if (source_read(path, &s, &e) < 0) {
		broken(l, &e);
	} else if (setting_parse(&s, &read) < 0) {
		finding_print(stderr, read, &s);
		l->status = l->status ? l->status : err_exit(ERR_CONFIG);
	} else {
		x->policy = json_incref(read);
	}
}

static void read_file(const char *path, struct declared_list *l)
{
	struct declared *x;
	char name[NAME_CAP];
	struct err e;

	if (name_of(path, name, &e) < 0) {
		broken(l, &e);
		return;
	}
	x = add(l);
	memcpy(x->name, name, sizeof x->name);
	x->path = strdup(path);
	if (!x->path)
		abort();
	if (source_read(x->path, &x->config, &e) < 0)
		broken(l, &e);
	read_policy(l, x);
}

/* A policy that belongs to no configuration is a name that was mistyped. */
static void check_policy(const char *path, struct declared_list *l)
{
	AUTO_FREE char *config = NULL;
	struct err e;

	if (asprintf(&config, "%.*s%s", (int)(strlen(path) - strlen(POLICY)), path, CONFIG) < 0)
		abort();
	if (access(config, F_OK) == 0)
		return;
	err_set(&e, USAGE, "'%s' has no '%s' beside it; a policy alone is changed by qvmadm set",
		path, config);
	broken(l, &e);
}

static int is_listed(const struct dirent *d)
{
	return d->d_name[0] != '.' &&
	       (ends_with(d->d_name, CONFIG) || ends_with(d->d_name, POLICY));
}

static void read_folder(const char *folder, struct declared_list *l)
{
	struct dirent **file;
	size_t before = l->n;
	struct err e;
	int n = scandir(folder, &file, is_listed, alphasort);

	if (n < 0) {
		err_sys(&e, RESOURCE, "read the folder '%s'", folder);
		broken(l, &e);
		return;
	}
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *path = NULL;

		if (asprintf(&path, "%s%s%s", folder, ends_with(folder, "/") ? "" : "/",
			     file[i]->d_name) < 0)
			abort();
		if (ends_with(path, CONFIG))
			read_file(path, l);
		else
			check_policy(path, l);
		free(file[i]);
	}
	free(file);
	if (l->n == before && !l->status) {
		err_set(&e, INVALID, "the folder '%s' holds no *" CONFIG, folder);
		broken(l, &e);
	}
}

void declared_read(const char *path, struct declared_list *l)
{
	struct stat st;
	struct err e;

	if (stat(path, &st) < 0) {
		err_sys(&e, RESOURCE, "find '%s'", path);
		broken(l, &e);
	} else if (S_ISDIR(st.st_mode))
		read_folder(path, l);
	else
		read_file(path, l);
}

static int by_name(const void *a, const void *b)
{
	const struct declared *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void declared_sort(struct declared_list *l)
{
	struct err e;

	if (l->n)
		qsort(l->item, l->n, sizeof *l->item, by_name);
	for (size_t i = 1; i < l->n; i++) {
		if (strcmp(l->item[i].name, l->item[i - 1].name) != 0)
			continue;
		err_set(&e, USAGE, "'%s' and '%s' both say what '%s' shall be", l->item[i - 1].path,
			l->item[i].path, l->item[i].name);
		broken(l, &e);
	}
}

void declared_free(struct declared_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->item[i].path);
		source_free(&l->item[i].config);
		json_decref(l->item[i].policy);
	}
	free(l->item);
	*l = (struct declared_list){0};
}
