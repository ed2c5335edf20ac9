/* SPDX-License-Identifier: Apache-2.0 */
/*
 * declared.h - what VMs shall be, as files say it: NAME.qvmconf and, beside it, NAME.policy (setting.h),
 * one by one or as a folder. qvmadm; owned by the command that read them.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/name.h"
#include "client/source.h"

struct declared {
	char name[NAME_CAP];
	char *path;	      /* of the configuration */
	struct source config; /* its name is `path` */
	json_t *policy;	      /* whole, as setting_parse() gives it; NULL = the files do not say */
};

struct declared_list {
	struct declared *item; /* by name */
	size_t n, room;
	int status; /* 0, or the exit status: some of it is wrong; what has been said */
};

/* Add a file NAME.qvmconf, or all of a folder. What is wrong with one file is said and kept as
 * the list's status, so that all is heard at once: ERR_RESOURCE of what cannot be read, else ERR_CONFIG. */
void declared_read(const char *path, struct declared_list *l);
/* In the order of their names; a name given twice is wrong. */
void declared_sort(struct declared_list *l);
void declared_free(struct declared_list *l);
