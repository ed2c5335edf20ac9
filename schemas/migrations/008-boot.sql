-- SPDX-License-Identifier: Apache-2.0
-- The boot of the host (its kernel's boot_id) in which since_ms is: a wall clock may be set.
ALTER TABLE vm ADD COLUMN boot TEXT NOT NULL DEFAULT '';
