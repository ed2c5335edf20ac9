/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/sharing.h"

#include <string.h>

#include "schemas/message.h"
#include "vmm/conf/draft.h"
#include "vmm/conf/finding.h"
#include "vmm/vdev/vdev.h"

/* How a kind of resource is shared: beside others of its kind, or not; 0 = with all. That of memory is
 * checked where it is read. */
enum { BESIDE = 1, ALONE = 2 };

static const unsigned char sharing[WANT_COUNT] = {
	[WANT_DISK_READ] = BESIDE, [WANT_DISK] = ALONE,	   [WANT_PASS_READ] = BESIDE,
	[WANT_PASS] = ALONE,	   [WANT_PTY] = ALONE,	   [WANT_SOCKET] = ALONE,
	[WANT_TAP] = ALONE,	   [WANT_OUTPUT] = BESIDE, /* output of several is put together */
};

static bool is_written_alike(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static bool is_one(const struct vdev_want *a, const struct vdev_want *b, sharing_same *is_same)
{
	unsigned how = sharing[a->kind], its = sharing[b->kind];

	/* "" is a pseudo terminal without a link, "-" the console. */
	return how && its && (how == ALONE || its == ALONE) && a->path[0] &&
	       strcmp(a->path, "-") != 0 && is_same(a->path, b->path);
}

/* The first before `v`, or in it before its want `w`, that has the same; NULL = nobody. */
static const struct draft_vdev *other_of(const struct draft *d, const struct draft_vdev *v,
					 unsigned w, sharing_same *is_same)
{
	for (const struct draft_vdev *o = d->vdev; o <= v; o++) {
		unsigned n = !o->vdev ? 0 : o == v ? w : o->vdev->n_wants;

		for (unsigned i = 0; i < n; i++)
			if (is_one(&o->vdev->want[i], &v->vdev->want[w], is_same))
				return o;
	}
	return NULL;
}

void sharing_check(const struct draft *d, sharing_same *is_same, struct findings *f)
{
	char label[DRAFT_LABEL], where[FINDING_WHERE];

	for (unsigned i = 0; i < d->n_vdevs; i++) {
		const struct draft_vdev *v = &d->vdev[i], *o;

		for (unsigned w = 0; v->vdev && !v->is_wrong && w < v->vdev->n_wants; w++) {
			o = other_of(d, v, w, is_same ? is_same : is_written_alike);
			if (!o)
				continue;
			finding_hint(finding_error(f, &v->at, "%s '%s' is taken by %s of %s",
						   want_kind_id(v->vdev->want[w].kind),
						   v->vdev->want[w].path,
						   draft_vdev_label(o, label),
						   finding_where(f, &o->at, &v->at, where)),
				     "it is for one alone: name another in one of the two");
		}
	}
}
