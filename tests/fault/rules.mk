# SPDX-License-Identifier: Apache-2.0
# Small programs that do something bad to another process; each is one file.

fault_tools := $(patsubst tests/fault/%.c,$(B)/tests/%,$(wildcard tests/fault/*.c))

$(fault_tools): $(B)/tests/%: $(B)/tests/fault/%.o
	@echo "  link     $*"
	$(Q)$(CC) $(LDFLAGS) $^ -o $@
