/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h - `qvm --dump UID`: the process that writes the dump of a supervised VM. It gets the RAM
 * memfd, the black box and the new file as fds 3, 4 and 5, closes every layer of the sandbox behind
 * itself and parses the box, which the supervisor does not.
 */
#pragma once

enum { WRITER_RAM_FD = 3, WRITER_BOX_FD = 4, WRITER_OUT_FD = 5 };

/* The exit status: 0 when the dump is whole, and on stdout the bytes that it takes on the disk; else why
 * not stands on stderr. */
int writer_run(const char *uid);
