/* SPDX-License-Identifier: Apache-2.0 */
#include "base/peer.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define FOLDER "/dev/qvm/"

static bool is_node(const char *s)
{
	return s[0] && s[0] != '.' && strlen(s) < PEER_NODE && !strpbrk(s, "/ \t\n");
}

int peer_parse(const char *path, struct peer_name *ret, struct err *e)
{
	const char *system = path + strlen(FOLDER), *slash;
	struct peer_name p = {0};
	size_t n;

	if (strncmp(path, FOLDER, strlen(FOLDER)) != 0 || !(slash = strchr(system, '/')))
		return err_set(e, CONFIG,
			       "'%.80s' is no peer: write /dev/qvm/SYSTEM/NAME, the other VM's "
			       "`system` and the `name` of its virtio-net",
			       path);
	n = (size_t)(slash - system);
	if (n < sizeof p.system)
		memcpy(p.system, system, n);
	if (!name_is_valid(p.system))
		return err_set(e, CONFIG, "'%.*s' is no name of a VM; it is " NAME_PATTERN,
			       n < 80 ? (int)n : 80, system);
	if (!is_node(slash + 1))
		return err_set(e, CONFIG,
			       "'%.80s' is no name of a vdev: 1 to %d bytes, without white space "
			       "and `/`, no dot first",
			       slash + 1, PEER_NODE - 1);
	str_copy(p.node, sizeof p.node, slash + 1);
	*ret = p;
	return 0;
}

void peer_want(const struct peer_name *other, const char *own, char ret[static PEER_PATH])
{
	snprintf(ret, PEER_PATH, FOLDER "%s/%s %s", other->system, other->node, own);
}

int peer_parse_want(const char *path, struct peer_name *ret_other, char ret_own[static PEER_NODE],
		    struct err *e)
{
	const char *blank = strchr(path, ' ');
	char other[PEER_PATH];

	if (!blank || (size_t)(blank - path) >= sizeof other || !is_node(blank + 1))
		return err_set(e, PROTOCOL, "a wanted peer without names");
	memcpy(other, path, (size_t)(blank - path));
	other[blank - path] = '\0';
	if (peer_parse(other, ret_other, e) < 0)
		return -1;
	str_copy(ret_own, PEER_NODE, blank + 1);
	return 0;
}

int peer_compare(const struct peer_name *a, const struct peer_name *b)
{
	int c = strcmp(a->system, b->system);

	return c ? c : strcmp(a->node, b->node);
}
