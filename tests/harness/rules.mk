# SPDX-License-Identifier: Apache-2.0
# Debian's stock kernel as a guest: in the full-instruction bed anywhere, directly where KVM is ordinary.

LINUX := $(B)/linux/complete

linux: $(LINUX)

$(LINUX): tests/harness/kernel tests/harness/guest-init
	@rm -f $@
	$(Q)tests/harness/kernel $(@D)

# On a host with kvm_intel or kvm_amd: the example configuration as it stands.
demo-linux: all $(LINUX)
	build/qvm @packaging/examples/linux.qvmconf

check-linux: all $(LINUX)
	$(Q)B=$(B) tests/harness/linux

.PHONY: linux demo-linux check-linux
