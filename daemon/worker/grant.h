/* SPDX-License-Identifier: Apache-2.0 */
/* grant.h - a VM's worker has planned: judge, open, pass on; or end it. Supervisor. */
#pragma once

struct vm;
struct worker;

void grant_wants(struct vm *v, struct worker *w);
