# SPDX-License-Identifier: Apache-2.0
# Debian's stock kernel as a guest: in the full-instruction bed anywhere, directly where KVM is ordinary.
#
#   make demo-linux    boot Debian's kernel to a shell (needs kvm_intel or kvm_amd)
#   make check-linux   the same in an emulated host, alone and under qvmd (in make check)
#   make powerloss ROUNDS=10 SEED=1   cut the power of a host at random: nothing acknowledged is lost

linux:
	$(Q)tests/harness/kernel $(B)/linux

# On a host with kvm_intel or kvm_amd: the example configuration as it stands.
demo-linux: all linux
	$(B)/qvm @packaging/examples/linux.qvmconf

powerloss: all
	$(Q)B=$(B) tests/harness/powerloss $(or $(ROUNDS),10) $(or $(SEED),1)

check-linux: all
	$(Q)B=$(B) tests/harness/linux

.PHONY: powerloss linux demo-linux check-linux
