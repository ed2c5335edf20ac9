/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/tls.h"

#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "api/http/auth.h"
#include "base/auto.h"
#include "base/str.h"

enum { CHAIN_MOST = 8, CA_MOST = 64, PEM_MOST = 256 * 1024 };

struct tls {
	gnutls_pcert_st chain[CHAIN_MOST];
	unsigned n_chain;
	gnutls_privkey_t key;
	gnutls_x509_trust_list_t trust; /* NULL = no client CA */
	char *client_ca;
};

/* A memfd as text. */
static int read_text(int fd, char **ret, size_t *ret_n, struct err *e)
{
	struct stat st;
	char *text;

	if (fstat(fd, &st) < 0 || st.st_size > PEM_MOST)
		return err_set(e, PROTOCOL, "a TLS file of no acceptable size");
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		abort();
	if (pread(fd, text, (size_t)st.st_size, 0) != st.st_size) {
		free(text);
		return err_sys(e, INTERNAL, "read a TLS file");
	}
	text[st.st_size] = '\0';
	*ret = text;
	*ret_n = (size_t)st.st_size;
	return 0;
}

static int load_chain(struct tls *t, int fd, struct err *e)
{
	AUTO_FREE char *pem = NULL;
	gnutls_datum_t d;
	size_t n = 0;
	int r;

	if (read_text(fd, &pem, &n, e) < 0)
		return -1;
	d = (gnutls_datum_t){(unsigned char *)pem, (unsigned)n};
	t->n_chain = CHAIN_MOST;
	r = gnutls_pcert_list_import_x509_raw(t->chain, &t->n_chain, &d, GNUTLS_X509_FMT_PEM, 0);
	if (r >= 0)
		return 0;
	t->n_chain = 0;
	return err_set(e, INVALID,
		       "`tls-certificate` holds no chain of at most %d certificates: %s",
		       CHAIN_MOST, gnutls_strerror(r));
}

static int load_key(struct tls *t, int fd, struct err *e)
{
	AUTO_FREE char *pem = NULL;
	gnutls_datum_t d;
	size_t n = 0;
	int r;

	if (read_text(fd, &pem, &n, e) < 0)
		return -1;
	if (gnutls_privkey_init(&t->key) < 0)
		abort();
	d = (gnutls_datum_t){(unsigned char *)pem, (unsigned)n};
	r = gnutls_privkey_import_x509_raw(t->key, &d, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (pem) /* for the analyzer: read_text() has made it */
		explicit_bzero(pem, n);
	return r < 0 ? err_set(e, INVALID, "`tls-key` holds no private key: %s", gnutls_strerror(r))
		     : 0;
}

static int load_trust(struct tls *t, int fd, struct err *e)
{
	gnutls_datum_t d;
	size_t n = 0;
	int r;

	if (read_text(fd, &t->client_ca, &n, e) < 0)
		return -1;
	if (n == 0)
		return 0;
	if (gnutls_x509_trust_list_init(&t->trust, 0) < 0)
		abort();
	d = (gnutls_datum_t){(unsigned char *)t->client_ca, (unsigned)n};
	r = gnutls_x509_trust_list_add_trust_mem(t->trust, &d, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
	return r <= 0 ? err_set(e, INVALID, "`tls-client-ca` holds no certificate: %s",
				r < 0 ? gnutls_strerror(r) : "it is empty")
		      : 0;
}

/* The pair must match, else every handshake would find out. */
static int check_pair(struct tls *t, struct err *e)
{
	unsigned char ours[64], its[64];
	size_t n = sizeof ours, m = sizeof its;
	gnutls_pubkey_t public;
	int r;

	if (gnutls_pubkey_init(&public) < 0)
		abort();
	r = gnutls_pubkey_import_privkey(public, t->key, 0, 0);
	if (r >= 0)
		r = gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, ours, &n);
	if (r >= 0)
		r = gnutls_pubkey_get_key_id(t->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, its, &m);
	gnutls_pubkey_deinit(public);
	if (r < 0)
		return err_set(e, INVALID, "compare `tls-key` and `tls-certificate`: %s",
			       gnutls_strerror(r));
	if (n != m || memcmp(ours, its, n) != 0)
		return err_set(e, INVALID,
			       "`tls-key` is not the key of the first certificate in "
			       "`tls-certificate`");
	return 0;
}

int tls_load(int certificate, int key, int client_ca, struct tls **ret, struct err *e)
{
	struct tls *t = calloc(1, sizeof *t);

	if (!t)
		abort();
	if (load_chain(t, certificate, e) < 0 || load_key(t, key, e) < 0 || check_pair(t, e) < 0 ||
	    load_trust(t, client_ca, e) < 0) {
		tls_free(t);
		return -1;
	}
	*ret = t;
	return 0;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < t->n_chain; i++)
		gnutls_pcert_deinit(&t->chain[i]);
	if (t->key)
		gnutls_privkey_deinit(t->key);
	if (t->trust)
		gnutls_x509_trust_list_deinit(t->trust, 1);
	free(t->client_ca);
	free(t);
}

const char *tls_client_ca(const struct tls *t)
{
	return t->client_ca;
}

void tls_certificate(const struct tls *t, gnutls_pcert_st **ret, unsigned *ret_n,
		     gnutls_privkey_t *ret_key)
{
	*ret = (gnutls_pcert_st *)t->chain;
	*ret_n = t->n_chain;
	*ret_key = t->key;
}

static int common_name(gnutls_x509_crt_t c, char ret[static NAME_CAP], struct err *e)
{
	char name[256];
	size_t n = sizeof name;
	int r = gnutls_x509_crt_get_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &n);

	if (r < 0 || !name_is_valid(name) || !str_copy(ret, NAME_CAP, name))
		return err_set(e, IDENTITY,
			       "the common name of the client certificate is no name of a token: "
			       "it must match %s",
			       NAME_PATTERN);
	return 0;
}

/* 0 = it has none, or none that can be told. */
static int64_t ends_ms(gnutls_x509_crt_t c)
{
	time_t end = gnutls_x509_crt_get_expiration_time(c);

	return end > 0 ? (int64_t)end * 1000 : 0;
}

static int verify(const struct tls *t, gnutls_x509_crt_t *chain, unsigned n, const char *name,
		  struct err *e)
{
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
					 .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT};
	const unsigned of_time = GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED;
	unsigned status = 0;
	int r = gnutls_x509_trust_list_verify_crt2(t->trust, chain, n, &purpose, 1, 0, &status,
						   NULL);

	if (r >= 0 && status == 0)
		return 0;
	if (r < 0 || status & ~(of_time | GNUTLS_CERT_INVALID) || !(status & of_time))
		return err_set(e, IDENTITY,
			       "the client certificate '%s' is not one of `tls-client-ca`", name);
	if (status & GNUTLS_CERT_EXPIRED)
		return auth_has_expired(name, e);
	return err_set(e, IDENTITY, "the client certificate '%s' is not valid yet", name);
}

int tls_client(const struct tls *t, gnutls_session_t session, struct tls_client *ret, struct err *e)
{
	gnutls_x509_crt_t chain[CHAIN_MOST];
	struct tls_client it = {0};
	unsigned n_raw = 0, n = 0;
	const gnutls_datum_t *raw = gnutls_certificate_get_peers(session, &n_raw);
	int result = 0;

	if (!t->trust || !raw || n_raw == 0)
		return 0;
	for (; n < n_raw && n < CHAIN_MOST; n++) {
		if (gnutls_x509_crt_init(&chain[n]) < 0)
			abort();
		if (gnutls_x509_crt_import(chain[n], &raw[n], GNUTLS_X509_FMT_DER) < 0) {
			gnutls_x509_crt_deinit(chain[n]);
			break;
		}
	}
	if (n == 0) {
		result = err_set(e, IDENTITY, "the client certificate cannot be read");
	} else if (common_name(chain[0], it.name, e) < 0 || verify(t, chain, n, it.name, e) < 0) {
		result = -1;
	} else {
		it.ends_ms = ends_ms(chain[0]);
		if (it.ends_ms)
			it.ends_ms += 1000; /* valid through that second (RFC 5280, 4.1.2.5) */
		*ret = it;
		result = 1;
	}
	while (n > 0)
		gnutls_x509_crt_deinit(chain[--n]);
	return result;
}

static int64_t until_ms(const gnutls_datum_t *der)
{
	gnutls_x509_crt_t c;
	int64_t until = 0;

	if (gnutls_x509_crt_init(&c) < 0)
		abort();
	if (gnutls_x509_crt_import(c, der, GNUTLS_X509_FMT_DER) >= 0)
		until = ends_ms(c);
	gnutls_x509_crt_deinit(c);
	return until;
}

int64_t tls_until_ms(const struct tls *t)
{
	int64_t first = 0;

	for (unsigned i = 0; t && i < t->n_chain; i++) {
		int64_t ms = until_ms(&t->chain[i].cert);

		if (ms && (!first || ms < first))
			first = ms;
	}
	return first;
}
