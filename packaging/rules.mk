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

# Onto this host, or below DESTDIR for a package: make install DESTDIR=/tmp/root PREFIX=/usr
INSTALL := install -D -m
UNITS    = $(DESTDIR)$(PREFIX)/lib
install: all man
	$(Q)$(INSTALL) 755 $(B)/qvmd $(DESTDIR)$(PREFIX)/sbin/qvmd
	$(Q)$(INSTALL) 755 $(B)/qvm-api $(DESTDIR)$(PREFIX)/libexec/qvm/qvm-api
	$(Q)$(INSTALL) 755 $(B)/qvm-keeper $(DESTDIR)$(PREFIX)/libexec/qvm/qvm-keeper
	$(Q)$(INSTALL) 755 $(B)/qvm $(DESTDIR)$(PREFIX)/bin/qvm
	$(Q)$(INSTALL) 755 $(B)/qvmadm $(DESTDIR)$(PREFIX)/bin/qvmadm
	$(Q)$(INSTALL) 644 $(B)/man/qvmconf.5 $(DESTDIR)$(PREFIX)/share/man/man5/qvmconf.5
	$(Q)for c in qvm qvmadm; do \
		$(INSTALL) 644 packaging/completions/$$c $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$c || exit 1; \
	done
	$(Q)for e in $(notdir $(wildcard packaging/examples/*.qvmconf)); do \
		$(INSTALL) 644 packaging/examples/$$e $(DESTDIR)$(PREFIX)/share/doc/qvm/examples/$$e || exit 1; \
	done
	$(Q)$(INSTALL) 644 vmm/vdev/sdk.h $(DESTDIR)$(PREFIX)/include/qvm/vdev.h
	$(Q)$(INSTALL) 644 $(B)/qvm-vdev.pc $(DESTDIR)$(PREFIX)/share/pkgconfig/qvm-vdev.pc
	$(Q)for u in qvmd.service qvm.slice; do \
		mkdir -p $(UNITS)/systemd/system && \
		sed 's|@PREFIX@|$(PREFIX)|' packaging/systemd/$$u >$(UNITS)/systemd/system/$$u || exit 1; \
	done
	$(Q)$(INSTALL) 644 packaging/systemd/sysusers.conf $(UNITS)/sysusers.d/qvm.conf
	$(Q)$(INSTALL) 644 packaging/systemd/tmpfiles.conf $(UNITS)/tmpfiles.d/qvm.conf

.PHONY: demo man install
