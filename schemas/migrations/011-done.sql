-- SPDX-License-Identifier: Apache-2.0
-- Requests that have changed something and make no operation: one that is sent again finds what it did.
CREATE TABLE done (
	id       INTEGER PRIMARY KEY,
	request  TEXT NOT NULL UNIQUE,          -- 16 hex digits
	op       TEXT NOT NULL,                 -- id of schemas/ops.def
	name     TEXT NOT NULL,                 -- of the VM or token
	uid      INTEGER NOT NULL,
	identity TEXT NOT NULL,                 -- '' = the uid over the unix socket
	digest   TEXT NOT NULL,                 -- of the configuration that came with it; '' = none did
	revision INTEGER NOT NULL,              -- that it made; 0 = none
	is_new   INTEGER NOT NULL CHECK (is_new IN (0, 1))
) STRICT;
