# SPDX-License-Identifier: Apache-2.0
# What the machine must have, and the demonstration.

depends-%:
	@packaging/install-depends $(subst -, ,$*)

demo: depends-build
	@$(MAKE) --no-print-directory all
	@B=$(B) packaging/demo

# The manual page comes from the tables that the parser is made of.
man: $(B)/man/qvmconf.5
$(B)/man/qvmconf.5: $(B)/qvm
	@mkdir -p $(@D)
	$(Q)$< help --man >$@

# For those who write vdevs: pkg-config --cflags qvm-vdev.
PREFIX ?= /usr
$(B)/qvm-vdev.pc: packaging/qvm-vdev.pc.in
	@mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' $< >$@
vdevs: $(B)/qvm-vdev.pc

.PHONY: demo man
