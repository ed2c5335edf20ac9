-- SPDX-License-Identifier: Apache-2.0
-- Fields of a policy that are names, not a number.
ALTER TABLE policy ADD COLUMN text TEXT NOT NULL DEFAULT '';
