/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version.h - what a VM is at one of its revisions, byte by byte as the server has it: to be compared and
 * edited, so not yet fit for a terminal. qvmadm; owned by the command that read it.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "schemas/message.h"

struct command_call;

enum { VERSION_NEWEST = 0 };

struct version {
	int64_t revision, running; /* 0: there is no such VM */
	char *config, *policy;	   /* terminated; the policy as setting_print() writes it */
	size_t bytes;		   /* of the configuration */
	char folder[MESSAGE_PATH];
	json_t *fields; /* the policy */
};

/* Read it. -1 and *ret_status, having said why. */
int version_read(struct command_call *c, const char *vm, int64_t revision, struct version *ret,
		 int *ret_status);
/* The newest one; a VM that is not there is no error, but revision 0. */
int version_find(struct command_call *c, const char *vm, struct version *ret, int *ret_status);
void version_free(struct version *v);
#define AUTO_VERSION __attribute__((cleanup(version_free)))
