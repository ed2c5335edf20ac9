# SPDX-License-Identifier: Apache-2.0
# The simulator: the supervisor's own decisions and store in a world of our making.
#
#   make storm SEED=1 STEPS=100000   random sequences against the invariants (STEPS events)

SEED  ?= 1
STEPS ?= 100000

$(B)/tests/simulator: $(call objects,$(wildcard tests/sim/*.c)) $(B)/daemon.a $(B)/ground.a
	@echo "  link     simulator"
	$(Q)$(CC) $(LDFLAGS) $^ $(qvmd_lib) -o $@

sim_tools := $(B)/tests/simulator

storm: $(sim_tools)
	$(B)/tests/simulator storm $(SEED) $(STEPS)

.PHONY: storm
