/* SPDX-License-Identifier: Apache-2.0 */
/* pass_ports.h - ports of the host in `pass`, by their numbers: `loc io:PORT,LEN`. Worker. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct parse;
struct pass_place;
struct token;

/* Nothing stands at `from` of the token: the host's ports are the guest's. path: VDEV_PATH bytes. */
bool pass_ports_source(struct parse *p, const struct token *t, size_t from, char *path,
		       struct pass_place *ret);
