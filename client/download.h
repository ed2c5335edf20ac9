/* SPDX-License-Identifier: Apache-2.0 */
/*
 * download.h - a dump of the host brought into a file here. qvmadm.
 *
 * It is written beside its name as FILE.TAG.part, TAG being that of the dump as it is on the host. A
 * download that broke off, or that the disk had no room for, goes on from there when it is asked for
 * again; of another dump the tag is another. What is empty stays a hole.
 */
#pragma once

#include <jansson.h>

#include "client/command.h"

/* Before a guest is stopped for it: a download could be put into output. ERR_RESOURCE. */
int download_check(const char *output, struct err *e);
/* dump: an element of GET /v1/vms/{vm}/dumps. output: NULL = the dump's own name, in the present folder.
 * Returns the exit status, having said what became of it. */
int download_run(struct command_call *c, const char *vm, const json_t *dump, const char *output);
