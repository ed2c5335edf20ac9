# SPDX-License-Identifier: Apache-2.0
# One list-free Makefile: a folder is a process, adding a source file edits nothing here.
#
#   make          build the programs into build/
#   make demo     a guest booted, supervised, killed, recovered, shown
#   make check    all tests; the last line is N passed, N failed, N skipped
#   make lint     format, clang-tidy, cppcheck, layers, headers, sizes
#   make help     every target

B        ?= build
ifeq ($(origin CC),default)
CC       := gcc
endif
Q        := $(if $(V),,@)
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
            -Wundef -Wvla -Wpointer-arith -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough -Wno-missing-field-initializers
HARDEN   := -fstack-protector-strong -fPIE -fno-common -fcf-protection
CFLAGS   ?= -O2 -g
CFLAGS   += -std=c17 -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -I. $(WARN) -Werror $(HARDEN)
LDFLAGS  += -pie -Wl,-z,relro,-z,now -Wl,--as-needed
VERSION  := 0.1.0
CFLAGS   += -DQVM_VERSION='"$(VERSION)"'
ifdef SAN
CFLAGS   += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -U_FORTIFY_SOURCE
LDFLAGS  += -fsanitize=address,undefined
endif
ifdef FUZZ
CFLAGS  += -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
endif

# What each process links; its own folder, the ground floor and the contracts are always in.
qvmd_dir := daemon
qvmd_lib := -lsystemd -lsqlite3 -lseccomp -lgnutls
qvm-api_dir := api
qvm-api_lib := -lsystemd -lsqlite3 -lmicrohttpd -ljansson -lseccomp -lgnutls
qvm_dir := vmm
qvm_lib := -ljansson -lseccomp -lpthread
qvm-keeper_dir := daemon/keeper
qvm-keeper_lib := -lseccomp
qvmadm_dir := client
qvmadm_lib := -lcurl -ljansson -lsystemd
PROGRAMS := qvmd qvm-api qvm qvm-keeper qvmadm

# A process within the folder of another, as the keeper in the supervisor's, is none of that one's.
inner   = $(addsuffix /%,$(filter $1/%,$(foreach p,$(PROGRAMS),$($p_dir))))
sources = $(filter-out $(call inner,$1),$(sort $(wildcard $1/*.c $1/*/*.c)))
objects = $(patsubst %.c,$(B)/%.o,$1)
GROUND  := $(call objects,$(wildcard base/*.c schemas/*.c))

all: $(PROGRAMS:%=$(B)/%) guests vdevs

# The ground floor is an archive, so that each program links only what it calls.
$(B)/ground.a: $(GROUND)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# Files that register themselves must be linked whole; the rest of a process is an archive for tests.
plugins = $(call objects,$(wildcard $(foreach d,vdev boot pci virtio,$1/$d/*.c) $1/cmd_*.c))

define program
$(B)/$($1_dir).a: $(filter-out $(call plugins,$($1_dir)) $(B)/$($1_dir)/main.o,$(call objects,$(call sources,$($1_dir))))
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^

$(B)/$1: $(call objects,$(call sources,$($1_dir))) $(B)/ground.a
	@echo "  link     $1"
	$$(Q)$$(CC) $$(LDFLAGS) $$^ $$($1_lib) -o $$@
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$p)))

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  compile  $<"
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

# .incbin is not seen by -MMD.
$(B)/daemon/store/migration.o: $(wildcard schemas/migrations/*.sql)

clean:
	rm -rf $(B)

include $(sort $(wildcard tests/*/rules.mk packaging/rules.mk api/*/rules.mk))

check: depends-build-check
	@$(MAKE) --no-print-directory check-build
	@B=$(B) tests/run.py $(SUITES)

help:
	@sed -n 's/^#   make/make/p' Makefile tests/*/rules.mk

# Everything that the suites need, in one parallel build: tests that install must find nothing left to make.
check-build: all man completions $(units) $(replays) $(sim_tools) $(fault_tools)

.PHONY: all clean check check-build help
# What the compiler noted of a source is asked for by the source: $(B) holds the files of others too, as of guests.
-include $(wildcard $(patsubst %,$(B)/%.d,$(basename $(foreach d,base schemas daemon api vmm client tests,\
           $(wildcard $d/*.[cS] $d/*/*.[cS] $d/*/*/*.[cS])))))
