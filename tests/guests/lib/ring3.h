/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring3.h - leave ring 0 for good, with every I/O port open. Guests.
 *
 * For anything long: a KVM without VMX and SVM emulates ring 0 an instruction at a time and runs
 * ring 3 natively. Ports are open through IOPL 3 and through the task state's bitmap, because such
 * a KVM does not heed the first. Interrupts stay off; `fn` must not return.
 */
#pragma once

__attribute__((noreturn)) void ring3_enter(void (*fn)(void));
