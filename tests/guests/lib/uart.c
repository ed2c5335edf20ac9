/* SPDX-License-Identifier: Apache-2.0 */
#include "uart.h"

#include "port.h"

enum { THR = 0, IER = 1, FCR = 2, MCR = 4, LSR = 5, MSR = 6 };
enum { FCR_ENABLE = 1 << 0, FIFO = 16 };
enum { LSR_DATA = 1 << 0, LSR_ROOM = 1 << 5, MSR_CARRIER = 1 << 7, MCR_OUT2 = 1 << 3 };

static void until_room(void)
{
	while (!(port_in8(UART_BASE + LSR) & LSR_ROOM))
		;
}

void uart_put(char c)
{
	until_room();
	port_out8(UART_BASE + THR, (uint8_t)c);
}

void uart_put_all(const char *bytes, uint64_t n)
{
	port_out8(UART_BASE + FCR, FCR_ENABLE);
	while (n) {
		unsigned room = FIFO;

		until_room();
		for (; n && room; n--, room--)
			port_out8(UART_BASE + THR, (uint8_t)*bytes++);
	}
}

int uart_take(void)
{
	return port_in8(UART_BASE + LSR) & LSR_DATA ? port_in8(UART_BASE + THR) : -1;
}

bool uart_is_listened(void)
{
	return port_in8(UART_BASE + MSR) & MSR_CARRIER;
}

void uart_interrupt(void)
{
	port_out8(UART_BASE + MCR, port_in8(UART_BASE + MCR) | MCR_OUT2);
	port_out8(UART_BASE + IER, LSR_DATA);
}
