/* SPDX-License-Identifier: Apache-2.0 */
/* prose.h - paragraphs for people, as wide as the terminal and no wider than reads well. qvmadm. */
#pragma once

#include <stdio.h>

/* n bytes of text from column `at` on; further lines begin at column `indent`. Line breaks are those of
 * the reader, not of the text, but for empty lines and for lines that begin with a blank, which stay as
 * they are. */
void prose_print(FILE *f, const char *text, size_t n, unsigned at, unsigned indent);
/* One text of one paragraph behind a label that ends in column `at`: on a terminal below itself, or below the
 * label's beginning where there is no room for that; for anybody else in one line. */
void prose_behind(FILE *f, const char *text, unsigned at);
