/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/pass_mem.h"

#include <inttypes.h>
#include <string.h>

#include "base/hostmem.h"
#include "schemas/message.h"
#include "vmm/conf/number.h"
#include "vmm/conf/parse.h"
#include "vmm/vdev/pass.h"

#define FORM "write `loc 0xf8000000,0x1000,rw=0xfe000000`: the host's address, of whole pages"

static bool read_base(struct parse *p, const struct token *t, size_t from, struct hostmem *ret)
{
	struct mark at = lex_mark(t, from, strlen(t->text + from));
	struct err e;

	if (t->text[from - 1] != '=')
		return true;
	if (number_address(t->text + from, strlen(t->text + from), &ret->base, &e) < 0) {
		finding_hint(finding_error(p->findings, &at, "%s", e.msg),
			     FORM "; =file:PATH is a file of the host, =uio:N a UIO device");
		return false;
	}
	if (ret->base % HOSTMEM_PAGE == 0 && ret->base < HOSTMEM_END &&
	    ret->bytes <= HOSTMEM_END - ret->base)
		return true;
	finding_hint(finding_error(p->findings, &at,
				   ret->base % HOSTMEM_PAGE
					   ? "the host's address 0x%" PRIx64
					     " is no multiple of the page, 4K"
					   : "0x%" PRIx64
					     " and what follows are beyond the 52 bits "
					     "of a host's address",
				   ret->base),
		     FORM);
	return false;
}

/* Of one vdev: a want of the host's memory that shares a byte with it. */
static bool has_part(const struct vdev *d, const struct hostmem *h)
{
	struct hostmem other;

	for (unsigned i = 0; d && i < d->n_wants; i++)
		if (hostmem_of(d->want[i].path, &other) && hostmem_overlaps(h, &other))
			return true;
	return false;
}

bool pass_mem_source(struct parse *p, const struct token *t, size_t from, char *path,
		     struct pass_place *ret)
{
	struct hostmem h = {ret->base, ret->bytes};
	char where[FINDING_WHERE];

	if (!read_base(p, t, from, &h))
		return false;
	for (unsigned i = 0; i < p->draft->n_vdevs; i++) {
		const struct draft_vdev *v = &p->draft->vdev[i];

		if (!has_part(v->vdev, &h))
			continue;
		finding_hint(finding_error(p->findings, &t->at,
					   "0x%" PRIx64 ",0x%" PRIx64 " of the host's memory, or a "
					   "part of it, is passed already by `pass` of %s",
					   h.base, h.bytes,
					   finding_where(p->findings, &v->at, &t->at, where)),
			     "it has one owner, and there one place: give one of the two another "
			     "range");
		return false;
	}
	hostmem_path(&h, path);
	ret->offset = h.base;
	ret->kind = ret->is_writable ? WANT_MEM : WANT_MEM_READ;
	return true;
}
