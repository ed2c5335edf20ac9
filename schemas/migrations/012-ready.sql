-- SPDX-License-Identifier: Apache-2.0
-- Two more words for `observed`: those of a standby that is held ready.
ALTER TABLE vm ADD COLUMN seen TEXT NOT NULL DEFAULT 'stopped' CHECK (seen IN ('stopped', 'starting', 'running', 'paused', 'stopping', 'safe', 'preparing', 'ready'));
UPDATE vm SET seen = observed;
ALTER TABLE vm DROP COLUMN observed;
ALTER TABLE vm RENAME COLUMN seen TO observed;
