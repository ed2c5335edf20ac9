-- SPDX-License-Identifier: Apache-2.0
-- What holds the present worker to its limits, and the cgroup that does; '' = nothing.
ALTER TABLE vm ADD COLUMN cgroup TEXT NOT NULL DEFAULT '';
ALTER TABLE vm ADD COLUMN limits TEXT NOT NULL DEFAULT '';

-- The newest id that was ever given. A VM's uid comes of its id, and files may outlive the VM: an id
-- is not given twice.
CREATE TABLE given (
	noun  TEXT PRIMARY KEY,
	newest INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO given (noun, newest) SELECT 'vm', coalesce(max(id), 0) FROM vm;
