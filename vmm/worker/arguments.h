/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arguments.h - the command line of a lone worker as parts of a configuration: `@FILE` parts are
 * read here, runs of other words are parts of their own, in order (QNX: `qvm @FILE set V X dryrun`).
 * Worker; owned by alone.c.
 */
#pragma once

#include <stdbool.h>

#include "vmm/conf/conf.h"

struct arguments {
	struct conf_part *part; /* names and words point into argv; texts and folders are owned */
	size_t n_parts;
	const char **word; /* the words of all parts, without those of the members below */
	bool as_json;	   /* `--json` */
	bool no_host;	   /* `--no-host`: a dry run asks nothing of the host */
};

/*
 * Every file that cannot be read is reported, then -1 with ERR_CONFIG; *ret is filled and owned by
 * the caller in any case. A file is at most MESSAGE_CONFIG_MAX bytes.
 */
int arguments_read(int argc, char **argv, struct arguments *ret, conf_report *report,
		   void *report_arg, struct err *e);
void arguments_free(struct arguments *a);
