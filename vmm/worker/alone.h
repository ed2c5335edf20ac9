/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alone.h - a worker from a shell: `qvm @guest.qvmconf`. Reads the configuration, opens the host's
 * resources with the user's rights, closes the same sandbox behind them as under the supervisor,
 * and lives by QNX's signals and exit codes. Worker.
 *
 * One layer cannot be had without a second process: the PID namespace.
 */
#pragma once

#include "base/sandbox.h"

/* The sandbox of a lone process: another user, if it is root. */
struct sandbox_spec alone_sandbox(void);
/* The words after the program's name. Returns the exit status of the process. */
int alone_run(int argc, char **argv);
