/* SPDX-License-Identifier: Apache-2.0 */
/* `pass` and its `loc`. */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "vmm/conf/number.h"
#include "vmm/conf/parse.h"
#include "vmm/conf/pass_pci.h"
#include "vmm/conf/place.h"
#include "vmm/vdev/pass.h"

#define FORM "write `loc 0xf8000000,0x1000,rw=file:PATH`"

enum { PAGE = 4096 };

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

/* What stands behind `=`, if it is something that can be passed; else NULL with a finding. */
static const char *source(struct parse *p, const struct token *t)
{
	const char *equals = strchr(t->text, '=');
	struct diagnostic *d;

	if (equals && !strncmp(equals + 1, "file:", 5))
		return equals + 6;
	if (!strncmp(t->text, "io:", 3)) {
		d = finding_error(
			p->findings, &t->at,
			"I/O ports of the host cannot be passed safely: KVM maps none, and "
			"a descriptor of /dev/port reaches all of them");
		finding_hint(d, "use a vdev for what the guest needs");
	} else if (equals && !strncmp(equals + 1, "uio:", 4)) {
		d = finding_error(p->findings, &t->at,
				  "UIO devices are not in this release of qvm");
		finding_hint(d, FORM ": a file of the host");
	} else {
		d = finding_error(p->findings, &t->at,
				  "host-physical memory cannot be passed safely: a descriptor of "
				  "/dev/mem reaches all of the host's memory, not this range");
		finding_hint(d, FORM ": a file of the host");
	}
	return NULL;
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
	if (number_address(s, (size_t)(comma - s), &ret->gpa, &e) < 0) {
		finding_hint(finding_error(p->findings, &at, "%s", e.msg), NUMBER_ADDRESS_FORM);
		return false;
	}
	if (number_size(length, (size_t)((flags ? flags : end) - length), &ret->bytes, &e) < 0) {
		finding_hint(finding_error(p->findings, &at, "%s", e.msg), NUMBER_SIZE_FORM);
		return false;
	}
	if (!is_paged(p, &at, "address", ret->gpa) || !is_paged(p, &at, "length", ret->bytes))
		return false;
	if (ret->bytes == 0 || ret->bytes > PLACE_MEM_END - ret->gpa) {
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

void option_pass_loc(struct parse *p, const struct token *t)
{
	struct draft_vdev *v = parse_vdev(p);
	struct pass_place place = {0};
	char path[VDEV_PATH];
	const char *file;
	struct err e;

	if (!strncmp(t[1].text, "pci:", 4)) {
		pass_pci_loc(p, t);
		return;
	}
	file = source(p, &t[1]);
	if (!file || !read_target(p, &t[1], (size_t)(strchr(t[1].text, '=') - t[1].text), &place) ||
	    !read_file(p, &t[1], (size_t)(file - t[1].text), path, &place.offset))
		return;
	if (v->vdev->class != &pass_class) {
		finding_hint(finding_error(p->findings, &t->at,
					   "this `pass` gives the guest a PCI function already"),
			     "begin another `pass`");
		return;
	}
	place.path = path;
	if (pass_add(v->vdev, &place, &e) < 0) {
		finding_hint(finding_error(p->findings, &t->at, "%s", e.msg),
			     "begin another `pass`");
		return;
	}
	v->loc_at[v->n_locs++] = t[1].at;
}
