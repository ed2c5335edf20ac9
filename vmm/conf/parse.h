/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.h - words into options: contexts, arguments, dispatch to the setters. Worker; owned by one
 * conf_read().
 *
 * An option that opens a context owns what follows up to the next one that does, or the end of its
 * file; global options may stand between. After an error the rest of the line is passed over up to
 * the next known option, so that each fault is reported once and all of them are.
 */
#pragma once

#include "vmm/conf/board.h"
#include "vmm/conf/conf.h"
#include "vmm/conf/draft.h"
#include "vmm/conf/finding.h"
#include "vmm/conf/lex.h"
#include "vmm/conf/option.h"

struct parse {
	const struct conf_source *source;
	const struct lex *lex;
	struct findings *findings;
	struct draft *draft;
	enum option_context context;
	bool is_blind; /* the context's own option was refused: what belongs to it is passed over */
	unsigned
		vdev; /* in the vdev or pass context: index in the draft, which is never full then */
	struct {
		const struct token *token; /* NULL = none */
		enum board_image type;
		bool is_refused;
	} prefix;		  /* the word before a `load` */
	const struct token *last; /* the option before, when it was good */
	bool has_options;	  /* one was seen: too late for `system` */
};

void parse_run(struct parse *p);

/* The vdev whose context is open. */
struct draft_vdev *parse_vdev(struct parse *p);
/* t[1] is PIC:LINE, which the vdev that is being read drives (option_vdev.c). Which PIC it is, and whether it is
 * there, is wiring_check()'s to say: it knows all vdevs. */
void parse_line(struct parse *p, const struct token *t);
