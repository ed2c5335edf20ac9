# SPDX-License-Identifier: Apache-2.0
# The OpenAPI document against the programs.
#
#   make contract REQUESTS=2000   the document linted, a generated client, the API held against it: a tour, then random requests

REQUESTS ?= 2000

contract: depends-build-check
	@$(MAKE) -s --no-print-directory all
	@B=$(B) /usr/bin/python3 tests/contract/run.py $(REQUESTS) $(SEED_OF_CONTRACT)

.PHONY: contract
