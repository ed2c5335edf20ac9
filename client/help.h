/* SPDX-License-Identifier: Apache-2.0 */
/* help.h - the help, made from the verbs themselves. qvmadm. */
#pragma once

#include <stdio.h>

struct command;
struct topic;

void help_overview(FILE *f);
void help_command(FILE *f, const struct command *c);
void help_topic(FILE *f, const struct topic *t);
/* The last block of its help: lines that begin with two blanks. */
const char *help_examples(const struct command *c);
/* What stands in for a verb while none is known yet: takes the common options only. */
const struct command *help_overview_command(void);
