/* SPDX-License-Identifier: Apache-2.0 */
/* pass_uio.h - UIO devices in `pass`: `loc ...=uio:N[/mapM|/resourceM]` and `intr`. Worker. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct parse;
struct pass_place;
struct token;

/* What stands at `from` of the token, uio:N and so on; false with a finding. path: VDEV_PATH bytes. */
bool pass_uio_source(struct parse *p, const struct token *t, size_t from, char *path,
		     struct pass_place *ret);
