/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - the report that SIGUSR1 asks a lone worker for: vCPUs and vdevs, at `info`. Worker. */
#pragma once

struct blackbox_map;
struct board;

void status_log(const struct board *b, const struct blackbox_map *box);
