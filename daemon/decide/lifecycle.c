/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/decide/lifecycle.h"

#include "base/auto.h"
#include "base/str.h"

enum {
#define STEP(from, event, to, action) ROW_##from##_##event,
#include "schemas/lifecycle.def"
#undef STEP
};

static const struct lifecycle_step steps[] = {
#define STEP(from, event, to, action)                                                              \
	{OBSERVED_##from, VM_EVENT_##event, OBSERVED_##to, ROW_##from##_##event},
#include "schemas/lifecycle.def"
#undef STEP
};

const struct lifecycle_step *lifecycle_find(enum observed from, enum vm_event event, struct err *e)
{
	char allowed[128] = "";
	size_t n = 0;

	for (size_t i = 0; i < NELEMS(steps); i++) {
		if (steps[i].from != from)
			continue;
		if (steps[i].event == event)
			return &steps[i];
		if (steps[i].event < VM_EVENT_TYPE) /* which is no verb of qvmadm */
			str_add(allowed, sizeof allowed, &n, "%s%s", n ? ", " : "",
				vm_event_id(steps[i].event));
	}
	err_set(e, CONFLICT, "%s is not possible while the VM is %s; allowed now: %s",
		event == VM_EVENT_TYPE ? "typing" : vm_event_id(event), observed_id(from), allowed);
	err_advise(
		e,
		"bring the VM into a state that allows it, with one of the verbs that are allowed");
	return NULL;
}
