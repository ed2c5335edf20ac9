/* SPDX-License-Identifier: Apache-2.0 */
/* resource.h - the objects of the REST interface; the table is resources.def. API and client. */
#pragma once

#include <stdbool.h>

#include "base/name.h"

enum resource {
#define RESOURCE(resource, what) RESOURCE_##resource,
#define FIELD(resource, name, kind, of, presence, what)
#include "schemas/resources.def"
#undef RESOURCE
#undef FIELD
	RESOURCE_COUNT
};

/* FIELD_vm_name: what is not in the table does not compile. */
enum field {
#define RESOURCE(resource, what)
#define FIELD(resource, name, kind, of, presence, what) FIELD_##resource##_##name,
#include "schemas/resources.def"
#undef RESOURCE
#undef FIELD
	FIELD_COUNT
};

enum field_kind {
	FIELD_TEXT,
	FIELD_INTEGER,
	FIELD_BOOL,
	FIELD_TIME,
	FIELD_HEX,
	FIELD_WORD,
	FIELD_OBJECT,
	FIELD_LIST,
	FIELD_TEXTS,
	FIELD_COUNTS,
	FIELD_FACTS,
};

enum field_presence { FIELD_ALWAYS, FIELD_NULLABLE, FIELD_MAYBE };

struct resource_field {
	enum resource resource;
	const char *name, *of, *what;
	enum field_kind kind;
	enum field_presence presence;
};

extern const struct resource_field resource_fields[FIELD_COUNT];

const char *resource_name(enum resource r);
const char *resource_what(enum resource r);
/* Does it have a member of that name? */
bool resource_has(enum resource r, const char *member);
/* RESOURCE_COUNT when unknown. */
enum resource resource_find(const char *name);
/* Word number i of the enum that a WORD field names in `of`; NULL behind the last. */
const char *resource_word(const char *of, unsigned i);
