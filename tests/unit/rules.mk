# SPDX-License-Identifier: Apache-2.0
# One unit-test program a process: a test file goes to the process whose headers it includes.

unit_files := $(filter-out %/test_main.c,$(wildcard tests/unit/test_*.c))
unit_of     = $(if $(unit_files),$(shell grep -lE '^\#include "$1/' $(unit_files)))
unit_owned := $(foreach d,daemon api vmm keeper client,$(call unit_of,$d))
units      := $(foreach d,daemon api vmm keeper client,$(if $(call unit_of,$d),$(B)/tests/unit-$d)) $(B)/tests/unit-ground

define unit_program
$(B)/tests/unit-$1: $(call objects,$(call unit_of,$1) tests/unit/test_main.c) $(call plugins,$1) $(B)/$1.a $(B)/ground.a
	@echo "  link     unit-$1"
	$$(Q)$$(CC) $$(LDFLAGS) $$^ $2 -lcmocka -o $$@
endef
$(foreach p,$(PROGRAMS),$(eval $(call unit_program,$($p_dir),$($p_lib))))

$(B)/tests/unit-ground: $(call objects,$(filter-out $(unit_owned),$(unit_files)) tests/unit/test_main.c) $(B)/ground.a
	@echo "  link     unit-ground"
	$(Q)$(CC) $(LDFLAGS) $^ -lseccomp -lsystemd -lcmocka -o $@

unit: $(units)
.PHONY: unit
