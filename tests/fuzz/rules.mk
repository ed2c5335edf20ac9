# SPDX-License-Identifier: Apache-2.0
# A fuzz target is one file, fuzz_NAME.c, with its corpus in corpus/NAME/.
#
#   make fuzz-replay              every corpus with the ordinary compiler (in make check)
#   make fuzz-NAME SECONDS=600    libFuzzer; new inputs are kept in build/fuzz/NAME/
#
# What a target does not answer of vmm/machine/machine.h is in machine.c.
# A virtio device needs a file of a few lines, fuzz_virtio_NAME.c: see virtio_driver.h.

fuzz_names  := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_process = $(firstword $(foreach d,daemon/keeper daemon api vmm client,$(if $(shell grep -lE '^\#include "$d/' tests/fuzz/fuzz_$1.c),$d)))
fuzz_libs    = $(foreach p,$(PROGRAMS),$(if $(filter $1,$($p_dir)),$($p_lib)))
fuzz_link    = $(if $1,$(call plugins,$1) $(B)/$1.a)
SECONDS     ?= 60

# Of a worker's code: a machine that is not there.
fuzz_bench   = $(if $(filter vmm,$1),tests/fuzz/machine.c)

define fuzz_target
$(B)/tests/replay-$1: $(call objects,tests/fuzz/fuzz_$1.c tests/fuzz/replay.c $(call fuzz_bench,$(call fuzz_process,$1))) $(call fuzz_link,$(call fuzz_process,$1)) $(B)/ground.a
	@echo "  link     replay-$1"
	$$(Q)$$(CC) $$(LDFLAGS) $$^ $(or $(call fuzz_libs,$(call fuzz_process,$1)),-lseccomp -lsystemd) -lpthread -o $$@

fuzz-$1:
	@mkdir -p $$(B)/fuzz/$1
	@$$(MAKE) --no-print-directory B=$$(B)/fuzz-build CC=clang FUZZ=1 \
		$$(B)/fuzz-build/libfuzzer-$1
	$$(B)/fuzz-build/libfuzzer-$1 -max_total_time=$$(SECONDS) -rss_limit_mb=2048 $$(B)/fuzz/$1 tests/fuzz/corpus/$1

$(B)/libfuzzer-$1: $(call objects,tests/fuzz/fuzz_$1.c $(call fuzz_bench,$(call fuzz_process,$1))) $(call fuzz_link,$(call fuzz_process,$1)) $(B)/ground.a
	$$(Q)$$(CC) -fsanitize=fuzzer,address,undefined $$(LDFLAGS) $$^ $(or $(call fuzz_libs,$(call fuzz_process,$1)),-lseccomp -lsystemd) -lpthread -o $$@
endef
$(foreach n,$(fuzz_names),$(eval $(call fuzz_target,$n)))

replays := $(fuzz_names:%=$(B)/tests/replay-%)
.PHONY: $(fuzz_names:%=fuzz-%)
