/* SPDX-License-Identifier: Apache-2.0 */
#include "uart.h"

#include "port.h"

enum { THR = 0, IER = 1, MCR = 4, LSR = 5, MSR = 6 };
enum { LSR_DATA = 1 << 0, LSR_ROOM = 1 << 5, MSR_CARRIER = 1 << 7, MCR_OUT2 = 1 << 3 };

void uart_put(char c)
{
	while (!(port_in8(UART_BASE + LSR) & LSR_ROOM))
		;
	port_out8(UART_BASE + THR, (uint8_t)c);
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
