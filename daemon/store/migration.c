/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/migration.h"

#include "base/auto.h"

/* The assembler includes the file itself, as seen from the root of the tree. */
#define MIGRATION(n, file)                                                                         \
	__asm__(".pushsection .rodata\n"                                                           \
		"migration_" #n ":\n"                                                              \
		".incbin \"" file "\"\n"                                                           \
		".byte 0\n"                                                                        \
		".popsection\n");                                                                  \
	extern const char migration_##n[];
#include "schemas/migrations.def"
#undef MIGRATION

const char *const migration_sql[] = {
#define MIGRATION(n, file) [(n)-1] = migration_##n,
#include "schemas/migrations.def"
#undef MIGRATION
};
const int migration_newest = NELEMS(migration_sql);
