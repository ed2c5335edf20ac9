/* SPDX-License-Identifier: Apache-2.0 */
/* uart.h - the first serial port, an 8250 at I/O 0x3f8 (NS16550A data sheet), polled. Guests. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { UART_BASE = 0x3f8, UART_LINE = 4 };

void uart_put(char c);
/* Many at a time, a FIFO full after each look at whether there is room. */
void uart_put_all(const char *bytes, uint64_t n);
/* A typed byte, or -1. */
int uart_take(void);
/* Data carrier detect, MSR bit 7: somebody is there who can type. */
bool uart_is_listened(void);
/* Interrupt on received bytes (IER bit 0), with OUT2, which gates the line on a PC. */
void uart_interrupt(void);
