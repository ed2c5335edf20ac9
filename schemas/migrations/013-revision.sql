-- SPDX-License-Identifier: Apache-2.0
-- Who made a revision, by which operation (id of schemas/ops.def), and which older one it is again; 0 = none.
ALTER TABLE revision ADD COLUMN identity TEXT NOT NULL DEFAULT '';
ALTER TABLE revision ADD COLUMN op TEXT NOT NULL DEFAULT 'vm_put';
ALTER TABLE revision ADD COLUMN restores INTEGER NOT NULL DEFAULT 0;
