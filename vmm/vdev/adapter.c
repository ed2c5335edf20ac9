/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vdev/adapter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "schemas/cause.h"
#include "vmm/machine/machine.h"
#include "vmm/vdev/sdk.h"
#include "vmm/vdev/vdev.h"

enum { WHY = 200, LOG_LINES = 100, STATE_ALIGN = 16, STATE_MOST = 16 << 20, DETAIL = 96 };

_Static_assert((int)QVM_VDEV_MEM == (int)VDEV_MEM && (int)QVM_VDEV_IO == (int)VDEV_IO, "spaces");
_Static_assert((int)QVM_VDEV_BYTE == (int)VDEV_BYTE && (int)QVM_VDEV_QWORD == (int)VDEV_QWORD,
	       "widths");
_Static_assert(QVM_VDEV_REGIONS == VDEV_REGIONS, "regions");
/* The ABI: what a shared object of another build sees. A change is another QVM_VDEV_ABI. */
_Static_assert(sizeof(struct qvm_vdev_class) == 184 && sizeof(struct qvm_vdev_host) == 64 &&
		       sizeof(struct qvm_vdev) == 24 && sizeof(struct qvm_vdev_option) == 32,
	       "QVM_VDEV_ABI 1");

struct adapter {
	struct vdev_class class; /* first: d->class is the adapter */
	const struct qvm_vdev_class *sdk;
	struct vdev_option option[QVM_VDEV_OPTIONS + 1];
};

/* Before the plug-in's own state, which is aligned as malloc() does. */
struct device {
	struct qvm_vdev pub; /* first: what the plug-in holds is the device */
	struct vdev *vdev;
	unsigned n_logged;
} __attribute__((aligned(STATE_ALIGN)));

static struct device *device_of(struct qvm_vdev *d)
{
	return (struct device *)d;
}

static struct qvm_vdev *pub(struct vdev *d)
{
	return &((struct device *)d->state)->pub;
}

static const struct qvm_vdev_class *sdk_of(const struct vdev *d)
{
	return ((const struct adapter *)d->class)->sdk;
}

/* --- the host's services --- */

/* A plug-in that breaks its contract ends its VM: nobody knows what it would do next. */
static void end_wrong(struct vdev *d, const char *what)
{
	char detail[DETAIL];

	if (!d->machine) {
		vdev_error(d, "%s: %s", d->name, what);
		return;
	}
	snprintf(detail, sizeof detail, "%s: %s", d->name, what);
	machine_end_by(d->machine, CAUSE_VDEV_ERROR, cause_exit(CAUSE_VDEV_ERROR), detail);
}

static void host_interrupt(struct qvm_vdev *p, bool level)
{
	struct vdev *d = device_of(p)->vdev;

	if (!d->machine)
		end_wrong(d, "it interrupts before start()");
	else
		machine_interrupt(d->machine, d, level);
}

static void host_alarm(struct qvm_vdev *p, uint64_t at_ns)
{
	struct vdev *d = device_of(p)->vdev;

	if (!d->machine)
		end_wrong(d, "it sets a deadline before start()");
	else if (!d->class->alarm)
		end_wrong(d, "it sets a deadline and has no alarm()");
	else
		machine_alarm(d->machine, d, at_ns);
}

static uint64_t host_now(struct qvm_vdev *p)
{
	(void)p;
	return clock_mono_ns();
}

static const volatile void *host_memory(struct qvm_vdev *p, uint64_t gpa, uint64_t bytes)
{
	const struct vdev *d = device_of(p)->vdev;

	return d->machine ? machine_memory(d->machine, gpa, bytes) : NULL;
}

static volatile void *host_ram(struct qvm_vdev *p, uint64_t gpa, uint64_t bytes)
{
	const struct vdev *d = device_of(p)->vdev;

	return d->machine ? machine_ram(d->machine, gpa, bytes) : NULL;
}

static void host_console(struct qvm_vdev *p, const char *text, size_t bytes)
{
	struct vdev *d = device_of(p)->vdev;

	if (!d->machine)
		end_wrong(d, "it prints before start()");
	else
		machine_console(d->machine, text, bytes);
}

/* Bounded for good: a guest may bring about a line with each access. */
static void host_log(struct qvm_vdev *p, const char *text)
{
	struct device *x = device_of(p);

	if (x->n_logged > LOG_LINES)
		return;
	if (x->n_logged++ == LOG_LINES)
		vdev_warn(x->vdev, "%s: has logged %d lines; further ones are dropped", p->name,
			  LOG_LINES);
	else
		vdev_info(x->vdev, "%s: %s", p->name, text);
}

static void host_end(struct qvm_vdev *p, unsigned code, const char *reason)
{
	struct vdev *d = device_of(p)->vdev;

	if (!d->machine)
		end_wrong(d, "it ends the VM before start()");
	else if (code < QVM_VDEV_END_LEAST || code > QVM_VDEV_END_MOST)
		end_wrong(d, "it ends the VM with an exit status that is not 32 to 63");
	else
		machine_end_by(d->machine, CAUSE_VDEV_REQUEST, code, reason ? reason : "");
}

static const struct qvm_vdev_host host = {
	.interrupt = host_interrupt,
	.alarm = host_alarm,
	.now = host_now,
	.memory = host_memory,
	.ram = host_ram,
	.console = host_console,
	.log = host_log,
	.end = host_end,
};

/* --- our callbacks --- */

static void adapter_init(struct vdev *d)
{
	struct device *x = d->state;

	x->pub = (struct qvm_vdev){.host = &host, .name = d->name, .state = x + 1};
	x->vdev = d;
	if (sdk_of(d)->init)
		sdk_of(d)->init(&x->pub);
}

/* The plug-in's answer, with its text or a text for its silence. */
static int answer(int rc, char why[static WHY], const char *silent, struct err *e)
{
	why[WHY - 1] = '\0';
	return rc == 0 ? 0 : err_set(e, CONFIG, "%s", why[0] ? why : silent);
}

static int adapter_set(struct vdev *d, const struct vdev_option *o, const char *value,
		       struct err *e)
{
	const struct adapter *a = (const struct adapter *)d->class;
	char why[WHY] = "";
	int rc = a->sdk->options[o - a->option].set(pub(d), value, why, sizeof why);

	return answer(rc, why, "the vdev does not take this", e);
}

static int adapter_check(struct vdev *d, struct err *e)
{
	char why[WHY] = "";
	int rc = sdk_of(d)->check(pub(d), why, sizeof why);

	return answer(rc, why, "the vdev does not take these options together", e);
}

static void adapter_start(struct vdev *d)
{
	pthread_mutex_lock(&d->lock);
	sdk_of(d)->start(pub(d));
	pthread_mutex_unlock(&d->lock);
}

static uint64_t adapter_read(struct vdev *d, unsigned region, uint64_t offset, unsigned width)
{
	return sdk_of(d)->read(pub(d), region, offset, width);
}

static void adapter_write(struct vdev *d, unsigned region, uint64_t offset, unsigned width,
			  uint64_t value)
{
	sdk_of(d)->write(pub(d), region, offset, width, value);
}

static void adapter_alarm(struct vdev *d, uint64_t now_ns)
{
	sdk_of(d)->alarm(pub(d), now_ns);
}

static bool adapter_button(struct vdev *d)
{
	return sdk_of(d)->button(pub(d));
}

static void adapter_status(struct vdev *d, char *text, size_t cap)
{
	text[0] = '\0';
	sdk_of(d)->status(pub(d), text, cap);
	text[cap - 1] = '\0';
}

static void adapter_destroy(struct vdev *d)
{
	sdk_of(d)->destroy(pub(d));
}

/* --- the class --- */

static bool is_word(const char *s, size_t most)
{
	size_t n = s ? strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;

	return n && !s[n] && n < most;
}

static int take_regions(const struct qvm_vdev_class *sdk, struct vdev_class *c, struct err *e)
{
	uint64_t end = sdk->space == QVM_VDEV_IO ? 0x10000 : UINT64_C(1) << 52;
	unsigned n = 0;

	if (sdk->space != QVM_VDEV_IO && sdk->space != QVM_VDEV_MEM)
		return err_set(e, CONFIG, "its space is %u, neither QVM_VDEV_MEM nor QVM_VDEV_IO",
			       sdk->space);
	for (; n < QVM_VDEV_REGIONS && sdk->region[n].bytes; n++) {
		if (sdk->region[n].bytes > end || sdk->region[n].base > end - sdk->region[n].bytes)
			return err_set(e, CONFIG,
				       "its region %u ends beyond 0x%" PRIx64 ", the last there is",
				       n, end - 1);
		c->region[n].base = sdk->region[n].base;
		c->region[n].bytes = sdk->region[n].bytes;
	}
	if (n == 0)
		return err_set(e, CONFIG, "its region[0] has no bytes: it answers nowhere");
	c->space = (enum vdev_space)sdk->space;
	c->needs_loc = sdk->region[0].base == 0;
	return 0;
}

static int take_options(const struct qvm_vdev_class *sdk, struct adapter *a, struct err *e)
{
	const struct qvm_vdev_option *o = sdk->options;

	for (unsigned n = 0; o && o[n].name; n++) {
		if (n == QVM_VDEV_OPTIONS)
			return err_set(e, CONFIG, "it has more than %d options", QVM_VDEV_OPTIONS);
		if (!is_word(o[n].name, VDEV_NAME) || !o[n].what || !o[n].set)
			return err_set(
				e, CONFIG,
				"its option %u lacks a name of lower-case letters, digits and -, "
				"a text or set()",
				n);
		a->option[n] = (struct vdev_option){.name = o[n].name,
						    .argument = o[n].argument,
						    .what = o[n].what,
						    .set_one = adapter_set};
	}
	a->class.options = a->option;
	return 0;
}

static int check_class(const struct qvm_vdev_class *sdk, const char *name, struct err *e)
{
	const unsigned widths = VDEV_BYTE | VDEV_WORD | VDEV_DWORD | VDEV_QWORD;

	if (sdk->abi != QVM_VDEV_ABI)
		return err_set(
			e, CONFIG,
			"it was built for ABI %u, this qvm has %d: build it against this qvm's "
			"<qvm/vdev.h>",
			sdk->abi, QVM_VDEV_ABI);
	if (sdk->bytes != sizeof *sdk)
		return err_set(e, CONFIG,
			       "its class has %u bytes, not the %zu of ABI %d: .bytes must be "
			       "sizeof(struct qvm_vdev_class)",
			       sdk->bytes, sizeof *sdk, QVM_VDEV_ABI);
	if (!is_word(sdk->name, VDEV_NAME) || strcmp(sdk->name, name) != 0)
		return err_set(
			e, CONFIG,
			"its class is named '%.32s': a file vdev-NAME.so holds the class NAME, of "
			"1 to %d lower-case letters, digits and -",
			sdk->name ? sdk->name : "", VDEV_NAME - 1);
	if (!sdk->widths || (sdk->widths & ~widths))
		return err_set(e, CONFIG, "its widths are 0x%x, not QVM_VDEV_BYTE, _WORD ...",
			       sdk->widths);
	if (sdk->state_bytes > STATE_MOST)
		return err_set(e, CONFIG, "its state has %zu bytes, over %d", sdk->state_bytes,
			       STATE_MOST);
	if (!sdk->read && !sdk->write)
		return err_set(e, CONFIG, "it has neither read() nor write()");
	return 0;
}

static int fill(struct adapter *a, const struct qvm_vdev_class *sdk, struct err *e)
{
	a->sdk = sdk;
	a->class = (struct vdev_class){
		.name = sdk->name,
		.summary = sdk->summary,
		.widths = (uint16_t)sdk->widths,
		.intr = -1,
		.state_bytes = sizeof(struct device) + sdk->state_bytes,
		.init = adapter_init,
		.check = sdk->check ? adapter_check : NULL,
		.start = sdk->start ? adapter_start : NULL,
		.read = sdk->read ? adapter_read : NULL,
		.write = sdk->write ? adapter_write : NULL,
		.alarm = sdk->alarm ? adapter_alarm : NULL,
		.button = sdk->button ? adapter_button : NULL,
		.status = sdk->status ? adapter_status : NULL,
		.destroy = sdk->destroy ? adapter_destroy : NULL,
	};
	return take_regions(sdk, &a->class, e) < 0 ? -1 : take_options(sdk, a, e);
}

int adapter_make(const struct qvm_vdev_class *sdk, const char *name, const struct vdev_class **ret,
		 struct err *e)
{
	struct adapter *a;

	if (check_class(sdk, name, e) < 0)
		return -1;
	a = calloc(1, sizeof *a);
	if (!a)
		abort();
	if (fill(a, sdk, e) < 0) {
		free(a);
		return -1;
	}
	*ret = &a->class;
	return 0;
}
