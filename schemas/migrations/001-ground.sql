-- SPDX-License-Identifier: Apache-2.0
-- The state of a host: what is wanted (intent), what was seen, what happened. One writer: qvmd.

CREATE TABLE vm (
	id         INTEGER PRIMARY KEY,
	name       TEXT NOT NULL UNIQUE,
	revision   INTEGER NOT NULL,             -- the newest; a start uses it
	running_revision INTEGER NOT NULL DEFAULT 0, -- of the present or last worker
	desired    TEXT NOT NULL CHECK (desired IN ('stopped', 'running', 'paused')),
	observed   TEXT NOT NULL CHECK (observed IN ('stopped', 'starting', 'running', 'paused', 'stopping', 'safe')),
	health     TEXT NOT NULL CHECK (health IN ('unknown', 'healthy', 'suspect', 'failed')),
	cause      TEXT NOT NULL DEFAULT 'none', -- of the last end
	reason     TEXT NOT NULL DEFAULT '',     -- one sentence for people
	pid        INTEGER NOT NULL DEFAULT 0,   -- of the worker; 0 = none
	pid_start  INTEGER NOT NULL DEFAULT 0,   -- field 22 of /proc/PID/stat: tells a recycled pid
	generation INTEGER NOT NULL DEFAULT 0,   -- counts the workers
	restarts   INTEGER NOT NULL DEFAULT 0,   -- by policy, since the last start by an operator
	since_ms   INTEGER NOT NULL,             -- wall time of the last change of `observed`
	restart_at_ms INTEGER NOT NULL DEFAULT 0, -- wall time of a restart that is due; 0 = none
	created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE revision (
	vm         INTEGER NOT NULL REFERENCES vm (id) ON DELETE CASCADE,
	revision   INTEGER NOT NULL,
	config     TEXT NOT NULL,
	folder     TEXT NOT NULL DEFAULT '',     -- relative paths of the text resolve against it
	created_ms INTEGER NOT NULL,
	uid        INTEGER NOT NULL,
	PRIMARY KEY (vm, revision)
) STRICT, WITHOUT ROWID;

-- One row a field of schemas/policy.def, so that a new field needs no migration.
CREATE TABLE policy (
	vm       INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	field    TEXT NOT NULL,
	value    INTEGER NOT NULL,
	PRIMARY KEY (vm, revision, field),
	FOREIGN KEY (vm, revision) REFERENCES revision (vm, revision) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE operation (
	id         INTEGER PRIMARY KEY,
	op         TEXT NOT NULL,                -- id of schemas/ops.def
	vm         TEXT NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
	phase      TEXT NOT NULL DEFAULT '',     -- "pressed", "killed at the deadline", ...
	request    TEXT NOT NULL,                -- 16 hex digits
	uid        INTEGER NOT NULL,
	started_ms INTEGER NOT NULL,
	ended_ms   INTEGER NOT NULL DEFAULT 0,
	error_id   TEXT NOT NULL DEFAULT '',     -- id of schemas/errors.def
	error      TEXT NOT NULL DEFAULT '',
	origin     TEXT NOT NULL DEFAULT ''      -- file:line where the error arose
) STRICT;
CREATE INDEX operation_by_vm ON operation (vm, id);

-- seq is given by the writer, last + 1: no gap, no duplicate, across restarts.
CREATE TABLE event (
	seq       INTEGER PRIMARY KEY,
	at_ms     INTEGER NOT NULL,
	kind      TEXT NOT NULL,                 -- id of schemas/journal.def
	vm        TEXT NOT NULL DEFAULT '',
	cause     TEXT NOT NULL DEFAULT '',
	operation INTEGER NOT NULL DEFAULT 0,
	incident  INTEGER NOT NULL DEFAULT 0,
	request   TEXT NOT NULL DEFAULT '',
	text      TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_vm ON event (vm, seq);

CREATE TABLE incident (
	id         INTEGER PRIMARY KEY,
	vm         TEXT NOT NULL,
	at_ms      INTEGER NOT NULL,
	generation INTEGER NOT NULL,
	revision   INTEGER NOT NULL,
	cause      TEXT NOT NULL,
	sentence   TEXT NOT NULL,                -- what happened, for people
	detail     TEXT NOT NULL DEFAULT '',     -- what the worker said of it
	reaction   TEXT NOT NULL,                -- what follows, for people
	exit_code  INTEGER NOT NULL DEFAULT -1,  -- of the worker; -1 = it did not exit
	signal     TEXT NOT NULL DEFAULT '',     -- "SIGKILL"
	syscall    TEXT NOT NULL DEFAULT '',     -- name of a forbidden system call
	error_id   TEXT NOT NULL DEFAULT '',
	error      TEXT NOT NULL DEFAULT '',
	origin     TEXT NOT NULL DEFAULT '',
	uptime_ms  INTEGER NOT NULL DEFAULT 0,   -- from the first guest entry
	console    TEXT NOT NULL DEFAULT '',     -- last lines
	log        TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX incident_by_vm ON incident (vm, id);

CREATE TABLE incident_exit (
	incident INTEGER NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
	n        INTEGER NOT NULL,               -- 0 = the oldest kept
	ago_us   INTEGER NOT NULL,               -- before the end
	vcpu     INTEGER NOT NULL,
	reason   TEXT NOT NULL,                  -- of schemas/exits.def
	is_write INTEGER NOT NULL,
	address  INTEGER NOT NULL,
	width    INTEGER NOT NULL,
	value    INTEGER NOT NULL,
	rip      INTEGER NOT NULL,
	PRIMARY KEY (incident, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident_vcpu (
	incident INTEGER NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
	vcpu     INTEGER NOT NULL,
	state    TEXT NOT NULL,
	rip      INTEGER NOT NULL,
	exits    INTEGER NOT NULL,
	PRIMARY KEY (incident, vcpu)
) STRICT, WITHOUT ROWID;

-- What the supervisor found out about this host, for GET /v1/host.
CREATE TABLE host (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
