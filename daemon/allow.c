/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/allow.h"

#include <stdio.h>
#include <string.h>

#include "base/hostmem.h"
#include "base/hostports.h"
#include "base/name.h"
#include "base/str.h"
#include "base/uio.h"
#include "base/vfio.h"
#include "daemon/config.h"

int allow_one_more(unsigned n, const char *key, struct err *e)
{
	return n < CONFIG_ALLOWS
		       ? 0
		       : err_set(e, INVALID, "more than %d `%s` lines", CONFIG_ALLOWS, key);
}

int allow_tap(struct config *c, const char *value, struct err *e)
{
	if (allow_one_more(c->n_allow_taps, "allow-tap", e) < 0)
		return -1;
	if (!value[0] || !str_copy(c->allow_tap[c->n_allow_taps], CONFIG_TAP, value))
		return err_set(
			e, INVALID,
			"allow-tap is '%s': write the name of an interface, 1 to %d bytes; * "
			"and ? stand for others",
			value, CONFIG_TAP - 1);
	c->n_allow_taps++;
	return 0;
}

int allow_pci(struct config *c, const char *value, struct err *e)
{
	char path[CONFIG_PATH];

	if (allow_one_more(c->n_allow_pcis, "allow-pci", e) < 0)
		return -1;
	snprintf(path, sizeof path, VFIO_WANT "%.40s", value);
	if (!vfio_name(path))
		return err_set(e, INVALID,
			       "allow-pci is '%s': write a function as `lspci -D` does, like "
			       "0000:00:04.0",
			       value);
	str_copy(c->allow_pci[c->n_allow_pcis++], CONFIG_PCI, value);
	return 0;
}

int allow_uio(struct config *c, const char *value, struct err *e)
{
	char path[CONFIG_PATH];
	int n;

	if (allow_one_more(c->n_allow_uios, "allow-uio", e) < 0)
		return -1;
	snprintf(path, sizeof path, "/dev/%.40s", value);
	n = uio_of(path);
	if (n < 0)
		return err_set(e, INVALID,
			       "allow-uio is '%s': write a UIO device as `ls /sys/class/uio` does, "
			       "like uio0",
			       value);
	c->allow_uio[c->n_allow_uios++] = (uint16_t)n;
	return 0;
}

int allow_memory(struct config *c, const char *value, struct err *e)
{
	struct err why;

	if (allow_one_more(c->n_allow_memories, "allow-memory", e) < 0)
		return -1;
	if (hostmem_read(value, &c->allow_memory[c->n_allow_memories], &why) < 0)
		return err_set(e, INVALID, "allow-memory: %s", why.msg);
	c->n_allow_memories++;
	return 0;
}

/* A port is one VM's: what is opened for it is so before its configuration is read. */
int allow_ports(struct config *c, const char *value, struct err *e)
{
	unsigned n = c->n_allow_ports;
	struct hostports ports;
	const char *vm;
	struct err why;

	if (allow_one_more(n, "allow-ports", e) < 0)
		return -1;
	if (hostports_read(value, &ports, &vm, &why) < 0)
		return err_set(e, INVALID, "allow-ports: %s", why.msg);
	if (!name_is_valid(vm))
		return err_set(e, INVALID,
			       "allow-ports is '%s': behind the ports write the name of the VM "
			       "that has them, as in 0x378,8 plc",
			       value);
	for (unsigned i = 0; i < n; i++)
		if (hostports_overlap(&ports, &c->allow_ports[i].ports) &&
		    strcmp(vm, c->allow_ports[i].vm) != 0)
			return err_set(e, INVALID,
				       "allow-ports gives some of 0x%x,%u to '%s' and to '%s': a "
				       "port has one owner",
				       ports.base, ports.n, c->allow_ports[i].vm, vm);
	c->allow_ports[n].ports = ports;
	str_copy(c->allow_ports[n].vm, NAME_CAP, vm);
	c->n_allow_ports++;
	return 0;
}

unsigned allow_ports_of(const struct config *c, const char *vm,
			struct hostports ret[static CONFIG_ALLOWS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->n_allow_ports; i++)
		if (!strcmp(c->allow_ports[i].vm, vm))
			ret[n++] = c->allow_ports[i].ports;
	return n;
}
