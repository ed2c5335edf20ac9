/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/exit_reason.h"

#include "base/auto.h"

const char *exit_reason_id(uint32_t reason)
{
	static const char *const id[] = {
#define EXIT(number, name) [number] = (name),
#include "schemas/exits.def"
#undef EXIT
	};

	return reason < NELEMS(id) && id[reason] ? id[reason] : "other";
}
