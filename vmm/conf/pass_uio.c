/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/pass_uio.h"

#include <stdio.h>
#include <string.h>

#include "base/uio.h"
#include "schemas/message.h"
#include "vmm/conf/number.h"
#include "vmm/conf/option.h"
#include "vmm/conf/parse.h"
#include "vmm/vdev/pass.h"

#define SOURCE_FORM                                                                                \
	"write =uio:0/map1, the second map of uio0, or =uio:0/resource2, BAR 2 of its PCI "        \
	"function"
#define INTR_FORM "write `intr ioapic:5=uio:0`, the interrupt of the host's uio0"

enum { PAGE = 4096, PIC_LINE = 64 };

/* A decimal number below `most`, up to `to`. */
static bool field(const char *s, size_t n, uint64_t most, unsigned *ret)
{
	struct err ignored;
	uint64_t value;

	if (number_plain(s, n, &value, &ignored) < 0 || value >= most)
		return false;
	*ret = (unsigned)value;
	return true;
}

static bool is_behind(const char **s, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*s, word, n) != 0)
		return false;
	*s += n;
	return true;
}

/* mapM or resourceM, which is "" for the first map. */
static bool read_part(const char *s, char *path, struct pass_place *ret)
{
	unsigned part = 0;

	ret->kind = WANT_UIO;
	if (is_behind(&s, "resource")) {
		ret->kind = WANT_UIO_BAR;
		if (!field(s, strlen(s), UIO_BARS, &part))
			return false;
	} else if (*s && !(is_behind(&s, "map") && field(s, strlen(s), UIO_MAPS, &part))) {
		return false;
	}
	if (ret->kind == WANT_UIO) {
		ret->offset = (uint64_t)part * PAGE; /* how mmap() is told which */
		snprintf(path, VDEV_PATH, UIO_WANT "%u", ret->uio);
	} else {
		snprintf(path, VDEV_PATH, UIO_BAR_WANT, ret->uio, part);
	}
	return true;
}

bool pass_uio_source(struct parse *p, const struct token *t, size_t from, char *path,
		     struct pass_place *ret)
{
	const char *s = t->text + from + strlen("uio:"), *slash = strchr(s, '/');
	struct mark at = lex_mark(t, from, strlen(t->text + from));

	if (!field(s, slash ? (size_t)(slash - s) : strlen(s), UIO_MOST + 1, &ret->uio) ||
	    !read_part(slash ? slash + 1 : "", path, ret)) {
		finding_hint(finding_error(p->findings, &at, "'%.40s' is no part of a UIO device",
					   t->text + from),
			     SOURCE_FORM);
		return false;
	}
	if (ret->space == VDEV_IO && ret->kind != WANT_UIO_BAR) {
		finding_hint(finding_error(p->findings, &at,
					   "UIO gives ports away by a BAR of a PCI function alone"),
			     SOURCE_FORM);
		return false;
	}
	return true;
}

/* The words behind the line, from the comma to `=`. */
static bool read_words(struct parse *p, const struct token *t, const char *comma, size_t n)
{
	struct mark at = lex_mark(t, (size_t)(comma - t->text), n);

	if (n == 2 && comma[1] == 't')
		return true; /* the interrupt comes by way of a thread: it always does */
	if (n == 2 && comma[1] == 'u')
		finding_hint(
			finding_error(p->findings, &at,
				      "to unmask an interrupt before the guest has served it is "
				      "safe where both sides are edge-triggered, which Linux does "
				      "not say of a UIO device"),
			"remove ,u: it is unmasked as soon as the guest has served it");
	else
		finding_hint(finding_error(p->findings, &at, "`intr` has a word that is not known"),
			     INTR_FORM);
	return false;
}

static bool read_device(struct parse *p, const struct token *t, const char *equals, unsigned *ret)
{
	struct mark at = lex_mark(t, equals ? (size_t)(equals - t->text) : 0,
				  strlen(equals ? equals : t->text));

	if (equals && !strncmp(equals, "=uio:", 5) &&
	    field(equals + 5, strlen(equals + 5), UIO_MOST + 1, ret))
		return true;
	finding_hint(finding_error(p->findings, &at,
				   equals && !strncmp(equals, "=uio:", 5)
					   ? "'%.40s' names no UIO device"
					   : "an interrupt of the host is not known by its vector "
					     "here: Linux gives it to a driver",
				   equals ? equals + 1 : ""),
		     INTR_FORM "; bind the device to a UIO driver");
	return false;
}

void option_pass_intr(struct parse *p, const struct token *t)
{
	struct draft_vdev *v = parse_vdev(p);
	const char *equals = strchr(t[1].text, '=');
	size_t n = equals ? (size_t)(equals - t[1].text) : strlen(t[1].text);
	const char *comma = memchr(t[1].text, ',', n);
	size_t line = comma ? (size_t)(comma - t[1].text) : n;
	char text[PIC_LINE];
	struct token guest[2] = {t[0], t[1]};
	unsigned uio = 0;
	struct err e;

	if (!read_device(p, &t[1], equals, &uio) ||
	    (comma && !read_words(p, &t[1], comma, n - line)))
		return;
	if (v->vdev->class != &pass_class) {
		finding_hint(finding_error(p->findings, &t->at,
					   "a passed PCI function has the line of its place"),
			     "remove this `intr`");
		return;
	}
	/* Its left side is what `intr` of a vdev is. */
	snprintf(text, sizeof text, "%.*s", (int)line, t[1].text);
	guest[1].text = text;
	parse_line(p, guest);
	if (v->intr_at.line && pass_interrupt(v->vdev, uio, &e) < 0)
		finding_hint(finding_error(p->findings, &t->at, "%s", e.msg),
			     "begin another `pass`");
}
