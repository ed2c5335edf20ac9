/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openapi.h - the OpenAPI 3.1 document, printed from ops.def, params.def, resources.def, policy.def
 * and errors.def. Pure: the same binary prints the same document. qvm-api.
 */
#pragma once

/* JSON text; the caller frees it. */
char *openapi_print(void);
