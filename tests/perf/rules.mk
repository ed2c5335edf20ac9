# SPDX-License-Identifier: Apache-2.0
#   make perf     measure what SPECIFICATION.md promises, as ratios within one run
#   make perf-door   requests to an API with 1,000 VMs, beside a trivial reply (in make perf)

perf_tools := $(patsubst tests/perf/%.c,$(B)/tests/%,$(wildcard tests/perf/*.c))

$(perf_tools): $(B)/tests/%: $(B)/tests/perf/%.o $(B)/ground.a
	$(Q)$(CC) $(LDFLAGS) $^ -lpthread -lmicrohttpd -o $@

perf: depends-build-check
	@$(MAKE) -s --no-print-directory all $(perf_tools)
	@B=$(B) /usr/bin/python3 tests/perf/start.py
	@B=$(B) /usr/bin/python3 tests/perf/adopt.py
	@B=$(B) /usr/bin/python3 tests/perf/standby.py
	@$(B)/tests/interrupt
	@B=$(B) /usr/bin/python3 tests/perf/door.py

perf-door: depends-build-check
	@$(MAKE) -s --no-print-directory all $(perf_tools)
	@B=$(B) /usr/bin/python3 tests/perf/door.py
.PHONY: perf perf-door
