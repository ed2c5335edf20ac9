# SPDX-License-Identifier: Apache-2.0
# Vdevs in shared objects: tests/vdevs/NAME.c and packaging/examples/vdev-NAME/NAME.c give vdev-NAME.so,
# built as a user would, with nothing but <qvm/vdev.h>.

VDEV_SDK  := $(B)/include/qvm/vdev.h
VDEV_LINE := -std=c17 -O2 -g -Wall -Wextra -Werror -shared -fPIC -I$(B)/include
vdev_test := $(patsubst tests/vdevs/%.c,$(B)/tests/vdevs/vdev-%.so,$(wildcard tests/vdevs/*.c))
vdev_examples := $(foreach d,$(wildcard packaging/examples/vdev-*),$(B)/examples/$(notdir $d).so)

$(VDEV_SDK): vmm/vdev/sdk.h
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(B)/tests/vdevs/vdev-%.so: tests/vdevs/%.c $(VDEV_SDK)
	@mkdir -p $(@D)
	@echo "  vdev     $*"
	$(Q)$(CC) $(VDEV_LINE) $< -o $@

define vdev_example
$(B)/examples/vdev-$1.so: packaging/examples/vdev-$1/$1.c $(VDEV_SDK)
	@mkdir -p $$(@D)
	@echo "  vdev     $1"
	$$(Q)$$(CC) $$(VDEV_LINE) $$< -o $$@
endef
$(foreach d,$(wildcard packaging/examples/vdev-*),$(eval $(call vdev_example,$(patsubst vdev-%,%,$(notdir $d)))))

vdevs: $(vdev_examples) $(vdev_test)
.PHONY: vdevs
