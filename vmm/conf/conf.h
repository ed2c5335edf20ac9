/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf.h - the face of the configuration language (*.qvmconf). Worker.
 *
 * Language: reference/qnx-qvm.md section 1 (QNX Hypervisor 2.2 and 8.0). Every diagnostic at once.
 * conf never opens a file: `@FILE` parts are read by whoever calls (alone.c) and handed in, and so are
 * the answers of the host to a dry run.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "schemas/diagnostic.h"
#include "vmm/conf/board.h"

/* One piece of configuration: a file's text, or the words of a command line. */
struct conf_part {
	const char *name;   /* for diagnostics: the file as named, "<config>", "<arguments>" */
	const char *folder; /* relative paths resolve against it; "" = leave them as they are */
	const char *text;   /* need not be terminated; NULL for words */
	size_t bytes;
	const char *const *word; /* argv words, each one token whatever it contains */
	size_t n_words;
};

typedef void conf_report(void *arg, const struct diagnostic *d);

/* What a dry run asks of the host: 0, or -1 with ERR_RESOURCE if a start would not get it. */
struct conf_probe {
	/* kind of schemas/wants.def; room: the most bytes that an image may have, the vCPUs of a KVM. */
	int (*want)(uint32_t kind, const char *path, uint64_t room, struct err *e);
	int (*folder)(const char *path, struct err *e); /* for `dump` */
	bool (*is_same)(const char *a, const char *b);	/* one file of two names */
	int (*cpu)(const struct board_cpu *c, unsigned index, struct err *e);
	/* Can the images be loaded, all together? ERR_START; *ret_load as of image_load_board(). */
	int (*images)(struct board *b, unsigned *ret_load, struct err *e);
};

struct conf_source {
	const struct conf_part *part;
	size_t n_parts;
	const char *vm; /* the VM's name under the supervisor: `system` must agree; NULL alone */
	conf_report *report; /* called for each finding, in order of position */
	void *report_arg;
	const char *clusters;	/* the host's named CPUs (base/cpulist.h); NULL = none */
	const char *partitions; /* its named CPU budgets (base/partition.h); NULL = none */
	const char *(*env)(const char *name); /* for $env{NAME}; NULL = none are known */
	const struct conf_probe *probe;	      /* for `dryrun`; NULL = the host is not asked */
};

/* Read, check and cross-check. Returns 0 with *ret_board owned by the caller (board_free), or -1
 * after all findings were reported: ERR_CONFIG, or ERR_RESOURCE when the configuration is right and
 * all that is wrong was said by the probe. *ret_errors and *ret_warnings count them. */
int conf_read(const struct conf_source *s, struct board **ret_board, unsigned *ret_errors,
	      unsigned *ret_warnings, struct err *e);
