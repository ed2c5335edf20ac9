/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trap.h - interrupts and exceptions in long mode. Guests.
 *
 * An exception that nobody expects is told on the serial port and ends in power_off(). The probes
 * expect one: they do a single access and report the vector instead of dying of it.
 */
#pragma once

#include <stdint.h>

enum { TRAP_NONE = -1, TRAP_UD = 6, TRAP_GP = 13, TRAP_PF = 14 };
enum { TRAP_TIMER = 32, TRAP_UART = 33, TRAP_VECTORS = 34 };

/* Build and load the interrupt table, once per vCPU. */
void trap_load(void);
/* Have `fn` called for an interrupt; the handler ends the interrupt at the local APIC itself. */
void trap_handle(unsigned vector, void (*fn)(void));
/* "#GP" and the like. */
const char *trap_name(int vector);

/* Probes: TRAP_NONE and *value, or the vector of the exception it raised. */
int trap_read8(uint64_t gpa, uint8_t *value);
int trap_write8(uint64_t gpa, uint8_t value);
int trap_in32(uint16_t port, uint32_t *value);
int trap_out32(uint16_t port, uint32_t value);
/* The same in any width: 1, 2, 4 or 8 bytes of memory, 1, 2 or 4 of a port. */
int trap_read(uint64_t gpa, unsigned width, uint64_t *value);
int trap_write(uint64_t gpa, unsigned width, uint64_t value);
int trap_in(uint16_t port, unsigned width, uint64_t *value);
int trap_out(uint16_t port, unsigned width, uint64_t value);
/* Call the code at gpa, which returns at once, if there is code. */
int trap_execute(uint64_t gpa);
int trap_rdmsr(uint32_t msr, uint64_t *value);
int trap_wrmsr(uint32_t msr, uint64_t value);
/* An instruction that no emulator of KVM knows, on memory that needs one: popcnt from `gpa`. */
int trap_popcnt(uint64_t gpa, uint32_t *value);
