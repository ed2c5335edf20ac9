/* SPDX-License-Identifier: Apache-2.0 */
/* pass_mem.h - memory of the host in `pass`, by its physical address: `loc ...=HPA`. Worker. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct parse;
struct pass_place;
struct token;

/* What stands at `from` of the token, HPA; nothing there: that of the guest. False with a finding, also
 * when another `loc` has a part of it. path: VDEV_PATH bytes. */
bool pass_mem_source(struct parse *p, const struct token *t, size_t from, char *path,
		     struct pass_place *ret);
