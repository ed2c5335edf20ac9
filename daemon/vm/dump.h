/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump.h - guest dumps of a VM: of a running one, whose vCPUs stand meanwhile, and of one that has
 * ended, from the RAM memfd that the supervisor kept. Supervisor; part of struct vm.
 *
 * An opener makes the file, and removes it if it did not become whole; `qvm --dump` writes it
 * (vmm/dump/writer.h), in a sandbox of its own. Nobody waits for either: a file system that does not
 * answer costs the dump, LINGER_MS after its deadline at the latest for each of both.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/dumpfile.h"
#include "base/err.h"
#include "schemas/message.h"

struct daemon;
struct dump;
struct vm;

/* ERR_CONFLICT when it is no time for a dump. */
int dump_check(const struct vm *v, struct err *e);
/* ERR_CONFLICT while a dump of the VM is being written. */
int dump_must_be_over(const struct vm *v, struct err *e);
/* An operator wants one of a running guest; the operation is committed. */
void dump_begin(struct vm *v, uint64_t request, int64_t operation);
/* The worker says that its vCPUs stand. */
void dump_held(struct vm *v);
/* The guest stands after a fault: begin one if policy or a watchdog asks for it. */
void dump_frozen(struct vm *v);
/* The worker has gone: begin one if policy or a watchdog asks for it. v->end is set. */
void dump_at_end(struct vm *v);
/* The file that is being written, and what it will take on the disk, about. */
struct dump_progress {
	char folder[MESSAGE_PATH], name[DUMPFILE_NAME];
	uint64_t needed_bytes;
};
/* False: no file is. */
bool dump_is_written(const struct vm *v, struct dump_progress *ret);
/* End it unfinished: the supervisor ends. */
void dump_cancel(struct vm *v);
/* Guest memory that a dump still holds. */
uint64_t dump_bytes(const struct vm *v);
