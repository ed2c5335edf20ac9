/* SPDX-License-Identifier: Apache-2.0 */
/* `pass` and its `loc`. */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "schemas/message.h"
#include "vmm/conf/number.h"
#include "vmm/conf/parse.h"
#include "vmm/conf/pass_mem.h"
#include "vmm/conf/pass_pci.h"
#include "vmm/conf/pass_ports.h"
#include "vmm/conf/pass_uio.h"
#include "vmm/conf/place.h"
#include "vmm/vdev/pass.h"

#define FORM	   "write `loc 0xf8000000,0x1000,rw=file:PATH`"
#define PORTS_FORM "write `loc io:0x378,8`, or `loc io:0x300,8=uio:0/resource2`"

enum { PAGE = 4096, PORTS = 0x10000 };

void option_pass(struct parse *p, const struct token *t)
{
	struct draft_vdev *v = draft_add_vdev(p->draft, p->findings, &t->at);

	if (!v) {
		p->is_blind = true;
		return;
	}
	p->vdev = (unsigned)(v - p->draft->vdev);
	str_copy(v->name, sizeof v->name, pass_class.name);
	v->vdev = vdev_new(&pass_class, t->at.line);
}

/* Whole pages, below the end of what a guest addresses; false with a finding. */
static bool is_paged(struct parse *p, const struct mark *at, const char *noun, uint64_t n)
{
	if (n % PAGE == 0 && n < PLACE_MEM_END)
		return true;
	finding_hint(finding_error(p->findings, at, "the %s 0x%" PRIx64 " %s", noun, n,
				   n % PAGE ? "is no multiple of the page, 4K"
					    : "is beyond 46 bits of address"),
		     "memory is passed in whole pages, like 0x1000");
	return false;
}

/* What follows the second comma. The meaning of the other letters is documented nowhere. */
static bool read_flags(struct parse *p, const struct mark *at, const char *s, size_t n,
		       bool *ret_writable)
{
	bool is_read = false;

	*ret_writable = false;
	for (size_t i = 0; i < n; i++) {
		is_read |= s[i] == 'r';
		*ret_writable |= s[i] == 'w';
		if (strchr("rwx", s[i]))
			continue;
		finding_hint(finding_error(p->findings, at, "the flag '%c' of `pass` is %s", s[i],
					   strchr("+-cemdnst", s[i])
						   ? "described in no manual, so qvm does not guess"
						   : "unknown"),
			     "r, w and x are known: write rw, r, rwx or rx");
		return false;
	}
	if (!is_read)
		finding_hint(finding_error(p->findings, at,
					   "memory that a guest cannot read cannot be passed"),
			     "write rw, or r for memory that it only reads");
	return is_read;
}

/* PATH[@OFFSET]: the offset is cut off. */
static bool read_file(struct parse *p, const struct token *t, size_t from, char *path,
		      uint64_t *ret_offset)
{
	struct mark at = lex_mark(t, from, strlen(t->text + from));
	char *offset;
	struct err e;

	*ret_offset = 0;
	if (!str_copy(path, VDEV_PATH, t->text + from)) {
		finding_hint(finding_error(p->findings, &at, "this path is over %d bytes long",
					   VDEV_PATH - 1),
			     "move the file to a folder with a shorter name");
		return false;
	}
	offset = strrchr(path, '@');
	if (offset && strchr(offset, '/'))
		offset = NULL;
	if (offset) {
		*offset++ = '\0';
		if (number_address(offset, strlen(offset), ret_offset, &e) < 0) {
			finding_hint(finding_error(p->findings, &at, "%s", e.msg),
				     "behind the last @ stands where in the file to begin, in "
				     "hexadecimal; add @0 to "
				     "a name that holds an @");
			return false;
		}
	}
	if (!path[0]) {
		finding_hint(finding_error(p->findings, &at, "no file is named"), FORM);
		return false;
	}
	return is_paged(p, &at, "offset", *ret_offset);
}

/* io:PORT,LEN up to `=`. */
static bool read_ports(struct parse *p, const struct token *t, size_t n, struct pass_place *ret)
{
	const char *s = t->text + 3, *end = t->text + n;
	const char *comma = memchr(s, ',', (size_t)(end - s));
	struct mark at = lex_mark(t, 0, n);
	struct err e;

	ret->space = VDEV_IO;
	ret->is_writable = true;
	if (!comma) {
		finding_hint(finding_error(p->findings, &at, "`loc` lacks its length"), PORTS_FORM);
		return false;
	}
	if (number_address(s, (size_t)(comma - s), &ret->base, &e) < 0 ||
	    number_size(comma + 1, (size_t)(end - comma - 1), &ret->bytes, &e) < 0) {
		finding_hint(finding_error(p->findings, &at, "%s", e.msg), PORTS_FORM);
		return false;
	}
	if (ret->bytes && ret->base < PORTS && ret->bytes <= PORTS - ret->base)
		return true;
	finding_hint(finding_error(p->findings, &at, "ports are from 0 to 0x%x", PORTS - 1),
		     PORTS_FORM);
	return false;
}

/* GPA,LEN[,FLAGS] up to `=`. */
static bool read_target(struct parse *p, const struct token *t, size_t n, struct pass_place *ret)
{
	size_t from = strncmp(t->text, "mem:", 4) ? 0 : 4;
	const char *s = t->text + from, *end = t->text + n;
	const char *comma = memchr(s, ',', (size_t)(end - s));
	const char *length = comma ? comma + 1 : end, *flags;
	struct mark at = lex_mark(t, 0, n);
	struct err e;

	flags = memchr(length, ',', (size_t)(end - length));
	if (!comma) {
		finding_hint(finding_error(p->findings, &at, "`loc` lacks its length"), FORM);
		return false;
	}
	if (number_address(s, (size_t)(comma - s), &ret->base, &e) < 0) {
		finding_hint(finding_error(p->findings, &at, "%s", e.msg), NUMBER_ADDRESS_FORM);
		return false;
	}
	if (number_size(length, (size_t)((flags ? flags : end) - length), &ret->bytes, &e) < 0) {
		finding_hint(finding_error(p->findings, &at, "%s", e.msg), NUMBER_SIZE_FORM);
		return false;
	}
	if (!is_paged(p, &at, "address", ret->base) || !is_paged(p, &at, "length", ret->bytes))
		return false;
	if (ret->bytes == 0 || ret->bytes > PLACE_MEM_END - ret->base) {
		finding_hint(finding_error(p->findings, &at,
					   ret->bytes ? "it would end beyond 46 bits of address"
						      : "memory of no length"),
			     "give it at least one page, 4K, below 0x%" PRIx64, PLACE_MEM_END);
		return false;
	}
	ret->is_writable = true;
	return !flags ||
	       read_flags(p, &at, flags + 1, (size_t)(end - flags - 1), &ret->is_writable);
}

static bool read_source(struct parse *p, const struct token *t, size_t from, char *path,
			struct pass_place *ret)
{
	ret->path = path;
	if (!strncmp(t->text + from, "uio:", 4))
		return pass_uio_source(p, t, from, path, ret);
	if (ret->space == VDEV_IO)
		return pass_ports_source(p, t, from, path, ret);
	if (strncmp(t->text + from, "file:", 5) != 0)
		return pass_mem_source(p, t, from, path, ret);
	ret->kind = ret->is_writable ? WANT_PASS : WANT_PASS_READ;
	return read_file(p, t, from + 5, path, &ret->offset);
}

void option_pass_loc(struct parse *p, const struct token *t)
{
	struct draft_vdev *v = parse_vdev(p);
	struct pass_place place = {0};
	char path[VDEV_PATH];
	const char *equals = strchr(t[1].text, '=');
	size_t n = equals ? (size_t)(equals - t[1].text) : strlen(t[1].text);
	struct err e;

	if (!strncmp(t[1].text, "pci:", 4)) {
		pass_pci_loc(p, t);
		return;
	}
	if (!(strncmp(t[1].text, "io:", 3) ? read_target : read_ports)(p, &t[1], n, &place) ||
	    !read_source(p, &t[1], n + (equals != NULL), path, &place))
		return;
	if (v->vdev->class != &pass_class) {
		finding_hint(finding_error(p->findings, &t->at,
					   "this `pass` gives the guest a PCI function already"),
			     "begin another `pass`");
		return;
	}
	if (pass_add(v->vdev, &place, &e) < 0) {
		finding_hint(finding_error(p->findings, &t->at, "%s", e.msg),
			     "begin another `pass`");
		return;
	}
	v->loc_at[v->n_locs++] = t[1].at;
}
