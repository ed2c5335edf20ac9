/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/pass_ports.h"

#include <string.h>

#include "base/hostports.h"
#include "schemas/message.h"
#include "vmm/conf/parse.h"
#include "vmm/vdev/pass.h"

bool pass_ports_source(struct parse *p, const struct token *t, size_t from, char *path,
		       struct pass_place *ret)
{
	const struct hostports ports = {(uint32_t)ret->base, (uint32_t)ret->bytes};
	struct mark at = lex_mark(t, from, strlen(t->text + from));

	if (t->text[from - 1] == '=') {
		finding_hint(finding_error(p->findings, &at,
					   "ports of the host have the same numbers in the guest"),
			     "write `loc io:0x378,8`; or =uio:0/resource2, a BAR of a PCI function "
			     "that uio_pci_generic has, at whatever ports");
		return false;
	}
	hostports_path(&ports, path);
	ret->offset = ports.base;
	ret->kind = WANT_PORTS;
	return true;
}
