-- SPDX-License-Identifier: Apache-2.0
-- Who may come without a uid of this host: bearer tokens, and client certificates by their name.
CREATE TABLE token (
	name       TEXT PRIMARY KEY,
	kind       TEXT NOT NULL CHECK (kind IN ('bearer', 'certificate')),
	hash       TEXT NOT NULL UNIQUE,      -- SHA-256 of the secret; of a certificate 'certificate:' and its name
	role       TEXT NOT NULL,             -- id of a role of schemas/op.h
	vms        TEXT NOT NULL,             -- pattern of VM names, * and ?; '' = all and the host
	created_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL,          -- wall time; 0 = never
	uid        INTEGER NOT NULL           -- who made it
) STRICT, WITHOUT ROWID;
