-- SPDX-License-Identifier: Apache-2.0
-- Who of a VM and its standby is to run: a word of schemas/states.def.
ALTER TABLE vm ADD COLUMN pair TEXT NOT NULL DEFAULT 'active';
-- Who names whom.
CREATE INDEX policy_text ON policy (field, text) WHERE text <> '';
