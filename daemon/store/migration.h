/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migration.h - the SQL of schemas/migrations/, carried inside the program. Supervisor.
 * The list is schemas/migrations.def.
 */
#pragma once

extern const char *const migration_sql[]; /* [0] brings an empty database to version 1 */
extern const int migration_newest;
