/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>

void digest_hex(const void *bytes, size_t n, char ret[static DIGEST_HEX])
{
	unsigned char d[32];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes, n, d) < 0)
		abort(); /* SHA-256 is always there */
	for (size_t i = 0; i < sizeof d; i++)
		snprintf(ret + 2 * i, 3, "%02x", d[i]);
}
