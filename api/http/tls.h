/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.h - the API's certificate and the authority that its clients' certificates come from. qvm-api;
 * owned by main.c. A new certificate is used from the next handshake on; connections go on.
 */
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "base/err.h"
#include "base/name.h"

struct tls;

/* Whom a genuine client certificate is for. */
struct tls_client {
	char name[NAME_CAP]; /* its common name */
	int64_t ends_ms;     /* wall: from then on it is not valid; 0 = it has no end */
};

/* Memfds of PEM: certificate chain, key, client CA (may be empty). ERR_INVALID says which is wrong. */
int tls_load(int certificate, int key, int client_ca, struct tls **ret, struct err *e);
void tls_free(struct tls *t);
/* PEM of the client CA, terminated; "" = client certificates are not asked for. */
const char *tls_client_ca(const struct tls *t);
/* Wall time that the first certificate of the chain ends at; 0 without a tls, or when none says. */
int64_t tls_until_ms(const struct tls *t);
/* For the handshake in hand; the values stay this object's. */
void tls_certificate(const struct tls *t, gnutls_pcert_st **ret, unsigned *ret_n,
		     gnutls_privkey_t *ret_key);
/* Of the session's client certificate: 1 = there is one and it is genuine now, 0 = there is none,
 * ERR_IDENTITY = it is not. */
int tls_client(const struct tls *t, gnutls_session_t session, struct tls_client *ret,
	       struct err *e);
