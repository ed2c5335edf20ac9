-- SPDX-License-Identifier: Apache-2.0
-- Who asked for what, and what became of it.
CREATE TABLE audit (
	id        INTEGER PRIMARY KEY,
	at_ms     INTEGER NOT NULL,
	op        TEXT NOT NULL,                -- id of schemas/ops.def
	vm        TEXT NOT NULL,
	uid       INTEGER NOT NULL,
	pid       INTEGER NOT NULL,
	role      TEXT NOT NULL,
	identity  TEXT NOT NULL,                -- '' = the uid over the unix socket
	request   TEXT NOT NULL,                -- 16 hex digits
	operation INTEGER NOT NULL,             -- 0 = none
	revision  INTEGER NOT NULL,             -- 0 = none
	error_id  TEXT NOT NULL,                -- '' = it was done
	error     TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_vm ON audit (vm, id);

-- A request that is sent again finds its operation.
CREATE INDEX operation_by_request ON operation (request);
