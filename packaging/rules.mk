# SPDX-License-Identifier: Apache-2.0
# What the machine must have, and the demonstration.

depends-%:
	@packaging/install-depends $(subst -, ,$*)

demo: depends-build
	@$(MAKE) --no-print-directory all
	@B=$(B) packaging/demo

.PHONY: demo
