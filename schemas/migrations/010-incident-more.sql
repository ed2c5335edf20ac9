-- SPDX-License-Identifier: Apache-2.0
-- When the supervisor first knew, what the worker had used, and the registers of each vCPU ("rip=... rax=...").
ALTER TABLE incident ADD COLUMN noticed_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN cpu_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN peak_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN exits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incident_vcpu ADD COLUMN registers TEXT NOT NULL DEFAULT '';
