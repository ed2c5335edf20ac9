/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - SHA-256 by gnutls. Supervisor and API: secrets are stored and compared as digests. */
#pragma once

#include <stddef.h>

enum { DIGEST_HEX = 65 };

/* Lower-case hexadecimal digits, terminated. */
void digest_hex(const void *bytes, size_t n, char ret[static DIGEST_HEX]);
