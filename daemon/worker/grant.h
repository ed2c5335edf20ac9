/* SPDX-License-Identifier: Apache-2.0 */
/* grant.h - a VM's worker has planned: judge, open, pass on; or end it. Supervisor. */
#pragma once

struct err;
struct msg_want;
struct vm;
struct worker;

/* The plan has come. */
void grant_wants(struct vm *v, struct worker *w);
/* What its opener answers, of one want, or when all is open. */
void grant_refused(struct worker *w, const struct msg_want *want, const struct err *why);
void grant_opened(struct vm *v, struct worker *w);
