/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.h - the operations that qvm-api answers itself, from state.db and the black boxes: one
 * function a VIEW row of ops.def; a row without its function does not link. qvm-api.
 *
 * Each fills the answer of the request (or holds it) and returns 0, or returns -1 with an error
 * that the caller renders.
 */
#pragma once

#include "base/err.h"

struct request;

#define VIEW_OF_VIEW(id) int view_##id(struct request *r, struct err *e);
#define VIEW_OF_CALL(id)
#define OP(id, kind, method, path, role, in, out, status, cli, summary) VIEW_OF_##kind(id)
#include "schemas/ops.def"
#undef OP
#undef VIEW_OF_VIEW
#undef VIEW_OF_CALL
