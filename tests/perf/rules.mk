# SPDX-License-Identifier: Apache-2.0
#   make perf     measure what SPECIFICATION.md promises, as ratios within one run

perf_tools := $(patsubst tests/perf/%.c,$(B)/tests/%,$(wildcard tests/perf/*.c))

$(perf_tools): $(B)/tests/%: $(B)/tests/perf/%.o $(B)/ground.a
	$(Q)$(CC) $(LDFLAGS) $^ -lpthread -o $@

perf: depends-build-check
	@$(MAKE) --no-print-directory all $(perf_tools)
	@B=$(B) /usr/bin/python3 tests/perf/start.py
	@B=$(B) /usr/bin/python3 tests/perf/adopt.py
	@$(B)/tests/interrupt
.PHONY: perf
