/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elfcore.h - a guest as an ELF64 core: one PT_LOAD a range of RAM or ROM (p_paddr and p_vaddr are the
 * guest-physical address), and for each vCPU NT_PRSTATUS and NT_FPREGSET for gdb and the "QEMU" note
 * with segments and control registers for crash. Dump writer (`qvm --dump`), helper of a lone worker.
 *
 * Made from the RAM memfd and the black box alone, so the worker may be held or dead. Both are its
 * bytes, hence hostile: ranges are checked against the memfd's size, nothing else is trusted.
 */
#pragma once

#include "base/err.h"

struct blackbox_map;

/* out_fd: a new file, in which zero pages become holes, or a pipe. *ret_bytes: the dump's length. A
 * vCPU that was neither held nor at its end has only its last known rip. ERR_RESOURCE, ERR_PROTOCOL. */
int elfcore_write(const struct blackbox_map *box, int ram_fd, int out_fd, uint64_t *ret_bytes,
		  struct err *e);
