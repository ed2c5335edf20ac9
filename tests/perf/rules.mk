# SPDX-License-Identifier: Apache-2.0
#   make perf     measure what SPECIFICATION.md promises, as ratios within one run

$(B)/tests/floor: $(B)/tests/perf/floor.o $(B)/ground.a
	$(Q)$(CC) $(LDFLAGS) $^ -o $@

perf: depends-build-check
	@$(MAKE) --no-print-directory all $(B)/tests/floor
	@B=$(B) /usr/bin/python3 tests/perf/start.py
.PHONY: perf
