# SPDX-License-Identifier: Apache-2.0
# Includes go one way: base <- schemas <- daemon, api, vmm, client, and daemon/keeper, which is a process of
# its own. A .def file holds no code, so base may read one of schemas/. Messages are the only door
# between processes.
function process(path,   part) {
	if (path ~ /^daemon\/keeper\//)
		return "keeper"
	split(path, part, "/")
	return part[1]
}
BEGIN {
	may["base"] = " base "
	may["schemas"] = " base schemas "
	may["daemon"] = " base schemas daemon "
	may["keeper"] = " base schemas keeper "
	may["api"] = " base schemas api "
	may["vmm"] = " base schemas vmm "
	may["client"] = " base schemas client "
}
/^#include "/ {
	split($2, part, "\"")
	from = process(FILENAME)
	if (from == "base" && part[2] ~ /^schemas\/.*\.def$/)
		next
	if (index(may[from], " " process(part[2]) " ") == 0) {
		printf "%s:%d: %s must not include \"%s\"\n", FILENAME, FNR, from, part[2]
		bad = 1
	}
}
END { exit bad }
