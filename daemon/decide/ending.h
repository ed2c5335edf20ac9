/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ending.h - why did a worker end? From the kernel's account, what the supervisor did to it, and
 * what it said of itself (hostile), to one cause. It decides and never acts. Supervisor.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "schemas/cause.h"

struct ending_evidence {
	int code, status;  /* of waitid(): CLD_EXITED and a status, or CLD_KILLED and a signal; code
			    * 0 = nobody can tell: it was the child of an earlier supervisor */
	enum cause fenced; /* why the supervisor sent SIGKILL; CAUSE_NONE = it did not */
	enum cause cut;	   /* what the supervisor told it with CUT; CAUSE_NONE = nothing */
	bool is_out_of_memory; /* the kernel ended processes of its cgroup for lack of memory */
	bool is_invalid;       /* it found its configuration to be wrong */
	bool has_said;	       /* ENDED or the black box names a cause */
	uint32_t said_cause, said_exit;
	int32_t forbidden; /* system call that its SIGSYS handler noted; -1 = none */
	bool was_alone;	   /* no supervisor was there when it ended, perhaps */
};

struct ending {
	enum cause cause;
	int exit_code; /* -1 = it did not exit */
	int signal;    /* 0 = it was not a signal */
	int syscall;   /* -1 = none */
};

struct ending ending_judge(const struct ending_evidence *e);
