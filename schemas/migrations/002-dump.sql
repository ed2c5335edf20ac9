-- SPDX-License-Identifier: Apache-2.0
-- The file of the guest's memory and registers; '' = none (yet).
ALTER TABLE incident ADD COLUMN dump TEXT NOT NULL DEFAULT '';
