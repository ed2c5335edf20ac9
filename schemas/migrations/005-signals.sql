-- SPDX-License-Identifier: Apache-2.0
-- The three signals that `health` is the worst of, and what is wrong with it, for people.
ALTER TABLE vm ADD COLUMN health_process TEXT NOT NULL DEFAULT 'unknown' CHECK (health_process IN ('unknown', 'healthy', 'suspect', 'failed'));
ALTER TABLE vm ADD COLUMN health_worker TEXT NOT NULL DEFAULT 'unknown' CHECK (health_worker IN ('unknown', 'healthy', 'suspect', 'failed'));
ALTER TABLE vm ADD COLUMN health_guest TEXT NOT NULL DEFAULT 'unknown' CHECK (health_guest IN ('unknown', 'healthy', 'suspect', 'failed'));
ALTER TABLE vm ADD COLUMN health_why TEXT NOT NULL DEFAULT '';
