/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/layers.h"

#include <string.h>

#include "api/view/object.h"
#include "base/sandbox.h"

json_t *layers_make(uint32_t layers)
{
	json_t *o = object_new(), *held = object_list(), *missing = object_list();
	const char *name;

	for (unsigned bit = 0; (name = sandbox_layer_name(bit)); bit++)
		object_append(layers & 1u << bit ? held : missing,
			      object_string(name, strlen(name)));
	object_take(o, FIELD_sandbox_layers, held);
	object_take(o, FIELD_sandbox_missing, missing);
	return o;
}
