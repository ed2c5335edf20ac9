/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ser8250 - a 16550A UART, after National Semiconductor's PC16550D data sheet (June 1995).
 *
 * The line has no speed: what is written to THR is sent at once, so THRE and TEMT are set unless the
 * host's end is not read (vmm/vdev/hostdev.h), and a character timeout is due as soon as the host has no more bytes. DSR and CTS are always on;
 * DCD is on if the line has an input side (a supervised console, `hostdev -`, `<FILE`), so a
 * guest can ask whether somebody can answer it. Not there: parity, framing, break, baud rate.
 *
 * What is printed goes to the VM's console ring and to every output hostdev. Input waits in a
 * bounded queue; the worker's loop stops reading the host's end while the queue is full.
 */
#include <string.h>
#include <unistd.h>

#include "vmm/machine/machine.h"
#include "vmm/vdev/hostdev.h"
#include "vmm/vdev/hostform.h"
#include "vmm/vdev/vdev.h"

enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR, REG_COUNT };

enum { IER_RDA = 1 << 0, IER_THRE = 1 << 1, IER_LINE = 1 << 2, IER_MODEM = 1 << 3, IER_MASK = 15 };
enum {
	IIR_MODEM = 0x00,
	IIR_NONE = 0x01,
	IIR_THRE = 0x02,
	IIR_RDA = 0x04,
	IIR_LINE = 0x06,
	IIR_TIMEOUT = 0x0c,
	IIR_FIFO = 0xc0,
};
enum { FCR_ENABLE = 1 << 0, FCR_CLEAR_RX = 1 << 1, FCR_TRIGGER_SHIFT = 6 };
enum { LCR_DLAB = 1 << 7 };
enum {
	MCR_DTR = 1 << 0,
	MCR_RTS = 1 << 1,
	MCR_OUT1 = 1 << 2,
	MCR_OUT2 = 1 << 3,
	MCR_LOOP = 1 << 4,
	MCR_MASK = 0x1f,
};
enum { LSR_DR = 1 << 0, LSR_OE = 1 << 1, LSR_THRE = 1 << 5, LSR_TEMT = 1 << 6 };
/* The upper half of MSR is the state of the inputs, the lower what changed since the last read. */
enum { MSR_CTS = 1 << 4, MSR_DSR = 1 << 5, MSR_RI = 1 << 6, MSR_DCD = 1 << 7 };
enum { MSR_TRAILING_RI = 1 << 2 };

enum { FIFO = 16, QUEUE = 4096 }; /* QUEUE is a power of two */

struct uart {
	uint8_t ier, lcr, mcr, scr, dll, dlm, lsr_errors, msr_delta;
	bool fifo_on, thre_pending, has_input, line_high, is_short;
	unsigned trigger;
	uint8_t fifo[FIFO];
	unsigned n_fifo;
	uint8_t queue[QUEUE];
	unsigned head, tail; /* counted without wrap; tail - head bytes wait */
};

static unsigned fifo_size(const struct uart *u)
{
	return u->fifo_on ? FIFO : 1;
}

/* 8.6.4 MODEM CONTROL REGISTER: in loop-back the outputs are the inputs. */
static uint8_t modem_inputs(const struct uart *u)
{
	uint8_t in = 0;

	if (!(u->mcr & MCR_LOOP))
		return (uint8_t)(MSR_CTS | MSR_DSR | (u->has_input ? MSR_DCD : 0));
	if (u->mcr & MCR_RTS)
		in |= MSR_CTS;
	if (u->mcr & MCR_DTR)
		in |= MSR_DSR;
	if (u->mcr & MCR_OUT1)
		in |= MSR_RI;
	if (u->mcr & MCR_OUT2)
		in |= MSR_DCD;
	return in;
}

/* Table II of the data sheet: the highest pending source that is enabled. */
static uint8_t interrupt_source(const struct uart *u)
{
	if ((u->ier & IER_LINE) && u->lsr_errors)
		return IIR_LINE;
	if ((u->ier & IER_RDA) && u->n_fifo)
		return !u->fifo_on || u->n_fifo >= u->trigger ? IIR_RDA : IIR_TIMEOUT;
	if ((u->ier & IER_THRE) && u->thre_pending)
		return IIR_THRE;
	if ((u->ier & IER_MODEM) && u->msr_delta)
		return IIR_MODEM;
	return IIR_NONE;
}

static void update(struct vdev *d)
{
	struct uart *u = d->state;
	bool high = interrupt_source(u) != IIR_NONE;

	if (d->intr < 0 || high == u->line_high)
		return;
	u->line_high = high;
	machine_interrupt(d->machine, d, high);
}

/* Move what waits into the receiver. In loop-back the line is cut off. */
static void refill(struct vdev *d)
{
	struct uart *u = d->state;

	if (u->mcr & MCR_LOOP)
		return;
	while (u->head != u->tail && u->n_fifo < fifo_size(u))
		u->fifo[u->n_fifo++] = u->queue[u->head++ & (QUEUE - 1)];
	if (u->is_short && u->tail - u->head <= QUEUE / 2 && d->room_fd >= 0) {
		uint64_t one = 1;

		u->is_short = false;
		/* An eventfd takes it unless its count is at the top: then it is readable anyway. */
		(void)!write(d->room_fd, &one, sizeof one);
	}
}

static void send_out(struct vdev *d, uint8_t byte)
{
	machine_counters(d->machine, d)->bytes_out++;
	machine_console(d->machine, (const char *)&byte, 1);
	hostdev_send(d->hostdev, &byte, 1);
}

/* Nothing waits: the guest is told that the transmitter is busy. After THRE it may send a FIFO full. */
static bool has_room(struct vdev *d)
{
	return hostdev_room(d->hostdev) >= FIFO;
}

static void ser8250_drained(struct vdev *d)
{
	struct uart *u = d->state;

	u->thre_pending = true;
	update(d);
}

static void transmit(struct vdev *d, uint8_t byte)
{
	struct uart *u = d->state;

	if (!(u->mcr & MCR_LOOP)) {
		send_out(d, byte);
	} else if (u->n_fifo < fifo_size(u)) {
		u->fifo[u->n_fifo++] = byte;
	} else {
		/* 8.6.3 bit 1: with FIFOs the new character is lost, without the old one is. */
		u->lsr_errors |= LSR_OE;
		if (!u->fifo_on)
			u->fifo[0] = byte;
	}
	u->thre_pending = has_room(d); /* empty again at once, or at drained() */
}

static uint8_t receive(struct vdev *d)
{
	struct uart *u = d->state;
	uint8_t byte;

	if (u->n_fifo == 0)
		return 0;
	byte = u->fifo[0];
	memmove(u->fifo, u->fifo + 1, --u->n_fifo);
	refill(d);
	return byte;
}

static uint8_t read_iir(struct uart *u)
{
	uint8_t source = interrupt_source(u);

	if (source == IIR_THRE)
		u->thre_pending = false; /* 8.6.6: reading IIR resets it, if it is the source */
	return (uint8_t)(source | (u->fifo_on ? IIR_FIFO : 0));
}

static uint8_t read_lsr(struct vdev *d)
{
	struct uart *u = d->state;
	uint8_t lsr = (uint8_t)(u->lsr_errors | (u->n_fifo ? LSR_DR : 0));

	if (has_room(d))
		lsr |= LSR_THRE | LSR_TEMT;

	u->lsr_errors = 0;
	return lsr;
}

static uint8_t read_msr(struct uart *u)
{
	uint8_t msr = (uint8_t)(modem_inputs(u) | u->msr_delta);

	u->msr_delta = 0;
	return msr;
}

static uint64_t ser8250_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	struct uart *u = d->state;
	uint8_t value = 0;

	(void)region;
	(void)width;
	switch (offset) {
	case REG_DATA: value = u->lcr & LCR_DLAB ? u->dll : receive(d); break;
	case REG_IER: value = u->lcr & LCR_DLAB ? u->dlm : u->ier; break;
	case REG_IIR_FCR: value = read_iir(u); break;
	case REG_LCR: value = u->lcr; break;
	case REG_MCR: value = u->mcr; break;
	case REG_LSR: value = read_lsr(d); break;
	case REG_MSR: value = read_msr(u); break;
	case REG_SCR: value = u->scr; break;
	}
	update(d);
	return value;
}

static void write_ier(struct vdev *d, uint8_t value)
{
	struct uart *u = d->state;

	/* Enabling THRE while the transmitter is empty raises it. */
	if ((value & IER_THRE) && !(u->ier & IER_THRE) && has_room(d))
		u->thre_pending = true;
	u->ier = value & IER_MASK;
}

static void write_fcr(struct vdev *d, uint8_t value)
{
	static const uint8_t trigger[] = {1, 4, 8, 14};
	struct uart *u = d->state;
	bool on = value & FCR_ENABLE;

	if (on != u->fifo_on || (on && (value & FCR_CLEAR_RX)))
		u->n_fifo = 0;
	u->fifo_on = on;
	if (on) /* 8.6.5: the other bits are taken only with bit 0 */
		u->trigger = trigger[value >> FCR_TRIGGER_SHIFT];
	refill(d);
}

static void write_mcr(struct vdev *d, uint8_t value)
{
	struct uart *u = d->state;
	uint8_t before = modem_inputs(u), changed;

	u->mcr = value & MCR_MASK;
	changed = before ^ modem_inputs(u);
	/* 8.6.8: RI counts at its trailing edge only. */
	u->msr_delta |= (uint8_t)((changed & ~MSR_RI) >> 4);
	if ((changed & MSR_RI) && (before & MSR_RI))
		u->msr_delta |= MSR_TRAILING_RI;
	refill(d);
}

static void ser8250_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
			  uint64_t value)
{
	struct uart *u = d->state;
	uint8_t byte = (uint8_t)value;

	(void)region;
	(void)width;
	switch (offset) {
	case REG_DATA:
		if (u->lcr & LCR_DLAB)
			u->dll = byte;
		else
			transmit(d, byte);
		break;
	case REG_IER:
		if (u->lcr & LCR_DLAB)
			u->dlm = byte;
		else
			write_ier(d, byte);
		break;
	case REG_IIR_FCR: write_fcr(d, byte); break;
	case REG_LCR: u->lcr = byte; break;
	case REG_MCR: write_mcr(d, byte); break;
	case REG_SCR: u->scr = byte; break;
	default: break; /* LSR and MSR: factory tests only */
	}
	update(d);
}

static size_t ser8250_room(struct vdev *d)
{
	struct uart *u = d->state;
	size_t room = QUEUE - (u->tail - u->head);

	if (room < QUEUE / 2)
		u->is_short = true;
	return room;
}

static void ser8250_input(struct vdev *d, const uint8_t *bytes, size_t n)
{
	struct uart *u = d->state;

	machine_counters(d->machine, d)->bytes_in += n;
	for (size_t i = 0; i < n; i++)
		u->queue[u->tail++ & (QUEUE - 1)] = bytes[i];
	refill(d);
	update(d);
}

static int ser8250_check(struct vdev *d, struct err *e)
{
	if (d->region[0].bytes != REG_COUNT)
		return err_set(e, CONFIG, "a ser8250 has %d registers: give its loc no length",
			       REG_COUNT);
	return 0;
}

static void ser8250_init(struct vdev *d)
{
	struct uart *u = d->state;

	u->trigger = 1;
	u->dll = 1; /* 115200 */
	d->hostdev = hostdev_new(d);
}

static int ser8250_assemble(struct vdev *d, struct machine *m, struct err *e)
{
	struct uart *u = d->state;

	(void)m;
	(void)e;
	hostdev_open(d->hostdev);
	u->has_input = hostdev_has_input(d->hostdev);
	return 0;
}

static const struct vdev_option options[] = {
	HOSTFORM_OPTIONS,
	{"batch", "USEC", "gathers output for so many microseconds before it is written",
	 hostform_batch},
	{NULL},
};

static const struct vdev_class ser8250 = {
	.name = "ser8250",
	.summary = "serial port, 16550A",
	.space = VDEV_IO,
	.widths = VDEV_BYTE,
	.region = {{0x3f8, REG_COUNT}},
	.intr = 4,
	.state_bytes = sizeof(struct uart),
	.options = options,
	.init = ser8250_init,
	.check = ser8250_check,
	.assemble = ser8250_assemble,
	.read = ser8250_read,
	.write = ser8250_write,
	.input = ser8250_input,
	.room = ser8250_room,
	.drained = ser8250_drained,
	.alarm = hostdev_alarm,
	.syscalls = hostdev_syscalls,
};
VDEV_REGISTER(ser8250);
