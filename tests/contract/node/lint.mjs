// SPDX-License-Identifier: Apache-2.0
// lint.mjs DOCUMENT - every finding of the linter about an OpenAPI document; exit status 1 when there is one.
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { readFileSync } from "node:fs";

// The strict form of the recommended rules, and what it leaves out and this document keeps to.
const rules = {
  "component-name-unique": "error",
  "no-invalid-parameter-examples": "error",
  "no-invalid-schema-examples": "error",
  "no-required-schema-properties-undefined": "error",
  "operation-4xx-problem-details-rfc7807": "error",
  "operation-description": "error",
  "operation-singular-tag": "error",
  "operation-tag-defined": "error",
  "parameter-description": "error",
  "response-contains-header": { severity: "error", names: { "2XX": ["Request-Id"], "4XX": ["Request-Id"] } },
};

const path = process.argv[2];
const source = readFileSync(path, "utf8");
const config = await createConfig({ extends: ["recommended-strict"], rules });
const found = await lintFromString({ source, absoluteRef: path, config });
for (const f of found)
  console.log(`${f.ruleId}: ${f.message.replace(/\s+/g, " ")} at ${f.location[0]?.pointer ?? "#/"}`);
console.log(`lint: ${found.length} findings by ${Object.keys(config.styleguide.rules.oas3_1).length} rules`);
process.exit(found.length ? 1 : 0);
