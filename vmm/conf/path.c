/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/path.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

void path_resolve(char *path, size_t cap, const char *folder, struct findings *f,
		  const struct mark *at)
{
	const char *rest = path;
	size_t n = folder ? strlen(folder) : 0;
	char whole[4096];

	if (path[0] == '/' || path[0] == '\0' || !strcmp(path, "-"))
		return;
	while (rest[0] == '.' && rest[1] == '/' && rest[2] != '/' && rest[2] != '\0')
		rest += 2;
	if (n == 0 || !strcmp(folder, "."))
		snprintf(whole, sizeof whole, "%s", rest);
	else if ((size_t)snprintf(whole, sizeof whole, "%s%s%s", folder,
				  folder[n - 1] == '/' ? "" : "/", rest) >= sizeof whole)
		whole[sizeof whole - 1] = '\0';
	if (strlen(whole) >= cap || strlen(whole) == sizeof whole - 1)
		finding_hint(finding_error(f, at, PATH_TOO_LONG, cap - 1), PATH_TOO_LONG_HINT);
	else
		str_copy(path, cap, whole);
}
