# SPDX-License-Identifier: Apache-2.0
# One unit-test program a process: a test file goes to the process whose headers it includes.

unit_files := $(filter-out %/test_main.c,$(wildcard tests/unit/test_*.c))
unit_of     = $(if $(unit_files),$(shell grep -lE '^\#include "$1/' $(unit_files)))
unit_dirs  := $(foreach p,$(PROGRAMS),$($p_dir))
# Of the supervisor's folder, but a process of its own.
unit_of_dir = $(filter-out $(foreach d,$(filter $1/%,$(unit_dirs)),$(call unit_of,$d)),$(call unit_of,$1))
unit_owned := $(foreach d,$(unit_dirs),$(call unit_of,$d))
unit_name   = unit-$(subst /,-,$1)
units      := $(foreach d,$(unit_dirs),$(if $(call unit_of,$d),$(B)/tests/$(call unit_name,$d))) $(B)/tests/unit-ground

define unit_program
$(B)/tests/$(call unit_name,$1): $(call objects,$(call unit_of_dir,$1) tests/unit/test_main.c) $(call plugins,$1) $(B)/$1.a $(B)/ground.a
	@echo "  link     $(call unit_name,$1)"
	$$(Q)$$(CC) $$(LDFLAGS) $$^ $2 -lcmocka -o $$@
endef
$(foreach p,$(PROGRAMS),$(eval $(call unit_program,$($p_dir),$($p_lib))))

$(B)/tests/unit-ground: $(call objects,$(filter-out $(unit_owned),$(unit_files)) tests/unit/test_main.c) $(B)/ground.a
	@echo "  link     unit-ground"
	$(Q)$(CC) $(LDFLAGS) $^ -lseccomp -lsystemd -lcmocka -o $@

unit: $(units)
.PHONY: unit
