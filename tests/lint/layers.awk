# SPDX-License-Identifier: Apache-2.0
# Includes go one way: base <- schemas <- daemon, api, vmm, keeper, client. A .def file holds no code, so
# base may read one of schemas/. Messages are the only door between processes.
BEGIN {
	may["base"] = " base "
	may["schemas"] = " base schemas "
	may["daemon"] = " base schemas daemon "
	may["api"] = " base schemas api "
	may["vmm"] = " base schemas vmm "
	may["keeper"] = " base schemas keeper "
	may["client"] = " base schemas client "
}
/^#include "/ {
	split(FILENAME, from, "/")
	split($2, part, "\"")
	split(part[2], to, "/")
	if (from[1] == "base" && part[2] ~ /^schemas\/.*\.def$/)
		next
	if (index(may[from[1]], " " to[1] " ") == 0) {
		printf "%s:%d: %s/ must not include \"%s\"\n", FILENAME, FNR, from[1], part[2]
		bad = 1
	}
}
END { exit bad }
