# SPDX-License-Identifier: Apache-2.0
# Small programs that do something bad to another process, each one file; a qvm that meets faults of
# its own (worker/) and a hostile one (hostile/), beside the real qvm-api; and the table of all faults.
#
#   make faults        inject every row of schemas/faults.def, print what was seen (in make check)
#   make torture SECONDS=60 SEED=1   blows at random while scripts start and stop fifty VMs
#   make fault-page    write daemon/FAULTS.md anew from the table

FAULT_WRAPS := ioctl mmap wire_recv wire_send
fault_small := $(patsubst tests/fault/%.c,$(B)/tests/%,$(wildcard tests/fault/*.c))
fault_tools := $(fault_small) $(B)/tests/faulty/qvm $(B)/tests/faulty/qvm-api \
	$(B)/tests/hostile/qvm $(B)/tests/hostile/qvm-api $(B)/tests/hostile/qvm-keeper \
	$(B)/tests/clock_shift.so

$(fault_small): $(B)/tests/%: $(B)/tests/fault/%.o $(B)/ground.a
	@echo "  link     $*"
	$(Q)$(CC) $(LDFLAGS) $^ -o $@

$(B)/tests/faulty/qvm: $(call objects,$(wildcard tests/fault/worker/*.c)) $(call objects,$(call sources,$(qvm_dir))) $(B)/ground.a
	@mkdir -p $(@D)
	@echo "  link     faulty/qvm"
	$(Q)$(CC) $(LDFLAGS) $(FAULT_WRAPS:%=-Wl,--wrap=%) $^ $(qvm_lib) -o $@

$(B)/tests/hostile/qvm: $(call objects,$(wildcard tests/fault/hostile/*.c)) $(B)/ground.a
	@mkdir -p $(@D)
	@echo "  link     hostile/qvm"
	$(Q)$(CC) $(LDFLAGS) $^ -lseccomp -o $@

$(B)/tests/hostile/qvm-keeper: $(B)/qvm-keeper
	@mkdir -p $(@D)
	$(Q)ln -sfn ../../qvm-keeper $@

$(B)/tests/faulty/qvm-api $(B)/tests/hostile/qvm-api: $(B)/qvm-api
	@mkdir -p $(@D)
	$(Q)ln -sfn ../../qvm-api $@

$(B)/tests/clock_shift.so: tests/fault/preload/clock_shift.c
	@mkdir -p $(@D)
	@echo "  preload  clock_shift"
	$(Q)$(CC) -std=c17 -O2 -Wall -Wextra -Werror -shared -fPIC $< -o $@

faults: depends-build-check
	@$(MAKE) -s --no-print-directory all $(fault_tools)
	@B=$(B) /usr/bin/python3 tests/fault/faults.py $(FAULTS)

torture: depends-build-check
	@$(MAKE) -s --no-print-directory all $(fault_tools)
	@B=$(B) /usr/bin/python3 tests/fault/torture.py $(SECONDS) $(or $(SEED),1)

fault-page: $(B)/tests/fault_table
	$(Q)$(B)/tests/fault_table >daemon/FAULTS.md

.PHONY: faults torture fault-page
