/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump.h - dumps on the disk: what the supervisor's answer is about, made into HTTP. qvm-api.
 * The API opens no file: each descriptor comes from the supervisor, after the role was checked.
 */
#pragma once

#include "base/err.h"

struct request;

/* fd: a sealed memfd of struct msg_dump; borrowed. */
int dump_answer_list(struct request *r, int fd, struct err *e);
/* The file, or the range of it that was asked for. */
int dump_answer_file(struct request *r, int take_fd, struct err *e);
