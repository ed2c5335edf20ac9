/* SPDX-License-Identifier: Apache-2.0 */
#include "client/doctor/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"

#define IS_LOCAL  true
#define IS_SERVER false
static const struct doctor_check checks[] = {
#define CHECK(id, where, what) {#id, what, IS_##where, check_##id},
#include "client/doctor/checks.def"
#undef CHECK
};

const struct doctor_check *doctor_next(unsigned i)
{
	return i < NELEMS(checks) ? &checks[i] : NULL;
}

const char *doctor_result_id(enum doctor_result r)
{
	static const char *const id[DOCTOR_RESULTS] = {"ok", "note", "unknown", "warning", "error"};

	return id[r];
}

void doctor_say(struct finding *f, enum doctor_result r, const char *fmt, ...)
{
	va_list ap;

	f->result = r;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof f->text, fmt, ap);
	va_end(ap);
}

void doctor_mend(struct finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->mend, sizeof f->mend, fmt, ap);
	va_end(ap);
}

const char *doctor_path(const struct patient *p, const char *path, char ret[static DOCTOR_FILE])
{
	snprintf(ret, DOCTOR_FILE, "%s%s", p->root, path);
	return ret;
}

bool doctor_read(const struct patient *p, const char *path, char ret[static DOCTOR_FILE])
{
	char full[DOCTOR_FILE];
	AUTO_FILE FILE *f = fopen(doctor_path(p, path, full), "re");
	size_t n = f ? fread(ret, 1, DOCTOR_FILE - 1, f) : 0;
	bool is_read = f && !ferror(f);

	ret[n] = '\0';
	if (n && ret[n - 1] == '\n')
		ret[n - 1] = '\0';
	return is_read;
}

bool doctor_is_there(const struct patient *p, const char *path)
{
	char full[DOCTOR_FILE];

	return access(doctor_path(p, path, full), F_OK) == 0;
}

int64_t doctor_line(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (!strncmp(text, name, n))
			return strtoll(text + n, NULL, 10);
	return -1;
}
