# SPDX-License-Identifier: Apache-2.0
# The guests: NAME.SUFFIX.c or .S gives one image; adding a guest is adding its source.
#
#   NAME.real.S   raw 16-bit image, starts at its first byte           -> NAME.bin
#   NAME.prot.S   32-bit protected mode, ELF32 with a PVH note         -> NAME.elf
#   NAME.long.c   64-bit long mode in C over lib/, ELF64 with PVH note -> NAME.elf

GUESTS     := tests/guests
GUEST_LIB  := $(B)/$(GUESTS)/lib.a
GUEST_BASE := -ffreestanding -nostdlib -static -fno-pic -fno-pie -fno-stack-protector \
              -fcf-protection=none -fno-asynchronous-unwind-tables -I$(GUESTS)/lib
GUEST_C    := -std=c17 -O2 $(GUEST_BASE) -mgeneral-regs-only -mno-sse -mno-red-zone \
              -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
GUEST_LINK := $(GUEST_BASE) -Wl,-T,$(GUESTS)/lib/guest.ld -Wl,--build-id=none -Wl,-n \
              -Wl,-z,noexecstack

guest_names = $(patsubst $(GUESTS)/%.$1,%,$(wildcard $(GUESTS)/*.$1))
GUEST_ALL  := $(patsubst %,$(B)/$(GUESTS)/%.bin,$(call guest_names,real.S)) \
              $(patsubst %,$(B)/$(GUESTS)/%.elf,$(call guest_names,prot.S) $(call guest_names,long.c))

guests: $(GUEST_ALL)

$(B)/$(GUESTS)/lib/%.o: $(GUESTS)/lib/%.c
	@mkdir -p $(@D)
	@echo "  guest    $<"
	$(Q)$(CC) $(GUEST_C) -MMD -MP -c $< -o $@

$(B)/$(GUESTS)/lib/%.o: $(GUESTS)/lib/%.S
	@mkdir -p $(@D)
	@echo "  guest    $<"
	$(Q)$(CC) $(GUEST_BASE) -MMD -MP -c $< -o $@

$(GUEST_LIB): $(patsubst %,$(B)/%.o,$(basename $(wildcard $(GUESTS)/lib/*.c $(GUESTS)/lib/*.S)))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/$(GUESTS)/%.long.o: $(GUESTS)/%.long.c
	@mkdir -p $(@D)
	@echo "  guest    $<"
	$(Q)$(CC) $(GUEST_C) -MMD -MP -c $< -o $@

# start_long.o comes first and by name: nothing refers to the entry point of an archive.
$(B)/$(GUESTS)/%.elf: $(B)/$(GUESTS)/%.long.o $(GUEST_LIB) $(GUESTS)/lib/guest.ld
	$(Q)$(CC) $(GUEST_LINK) $(B)/$(GUESTS)/lib/start_long.o $< $(GUEST_LIB) -o $@

$(B)/$(GUESTS)/%.elf: $(GUESTS)/%.prot.S $(GUESTS)/lib/asm.inc $(GUESTS)/lib/guest.ld
	@mkdir -p $(@D)
	@echo "  guest    $<"
	$(Q)$(CC) -m32 $(GUEST_LINK) $< -o $@

$(B)/$(GUESTS)/%.bin: $(GUESTS)/%.real.S $(GUESTS)/lib/asm.inc
	@mkdir -p $(@D)
	@echo "  guest    $<"
	$(Q)$(CC) -m32 $(GUEST_BASE) -Wl,--oformat=binary -Wl,-Ttext=0 -Wl,-e,image \
		-Wl,--build-id=none $< -o $@

.PHONY: guests
.SECONDARY: $(patsubst %,$(B)/$(GUESTS)/%.long.o,$(call guest_names,long.c))
