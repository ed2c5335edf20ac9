# SPDX-License-Identifier: Apache-2.0
# What the machine must have, and the demonstration.

depends-%:
	@packaging/install-depends $(subst -, ,$*)

demo: depends-build
	@$(MAKE) -s --no-print-directory all
	@B=$(B) packaging/demo

# Manual pages come from the tables that the parser is made of.
man: $(B)/man/qvmconf.5 $(B)/man/qvmadm.1
$(B)/man/qvmadm.1: $(B)/qvmadm
	@mkdir -p $(@D)
	$(Q)$< help --man >$@
$(B)/man/qvmconf.5: $(B)/qvm
	@mkdir -p $(@D)
	$(Q)$< help --man >$@

# The session in README.md, as it goes now.
transcript: all
	@B=$(B) packaging/transcript --write

# What the shells are told comes from the client itself.
completions: $(B)/completions/bash $(B)/completions/zsh $(B)/completions/fish
$(B)/completions/%: $(B)/qvmadm
	@mkdir -p $(@D)
	$(Q)$< completion $* >$@

# For those who write vdevs: pkg-config --cflags qvm-vdev.
PREFIX ?= /usr
$(B)/qvm-vdev.pc: packaging/qvm-vdev.pc.in
	@mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' $< >$@
vdevs: $(B)/qvm-vdev.pc

# Onto this host, or below DESTDIR for a package: make install DESTDIR=/tmp/root PREFIX=/usr
INSTALL := install -D -m
UNITS    = $(DESTDIR)$(PREFIX)/lib
EXAMPLES = $(DESTDIR)$(PREFIX)/share/doc/qvm/examples
# An example names its guest beside itself; an ordinary Linux it takes from the host.
as_installed = s|build/qvm @packaging|qvm @$(PREFIX)/share/doc/qvm|; s|\.\./\.\./build/tests/guests|guests|; \
	s|\.\./\.\./build/linux/bzImage|/boot/vmlinuz|; s|\.\./\.\./build/linux/initrd|/boot/initrd.img|
install: all man completions
	$(Q)$(INSTALL) 755 $(B)/qvmd $(DESTDIR)$(PREFIX)/sbin/qvmd
	$(Q)$(INSTALL) 755 $(B)/qvm-api $(DESTDIR)$(PREFIX)/libexec/qvm/qvm-api
	$(Q)$(INSTALL) 755 $(B)/qvm-keeper $(DESTDIR)$(PREFIX)/libexec/qvm/qvm-keeper
	$(Q)$(INSTALL) 755 $(B)/qvm $(DESTDIR)$(PREFIX)/bin/qvm
	$(Q)$(INSTALL) 755 $(B)/qvmadm $(DESTDIR)$(PREFIX)/bin/qvmadm
	$(Q)for m in $(B)/man/*.[0-9] packaging/man/*.[0-9]; do \
		$(INSTALL) 644 $$m $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$${m##*/} || exit 1; \
	done
	$(Q)$(INSTALL) 644 packaging/completions/qvm $(DESTDIR)$(PREFIX)/share/bash-completion/completions/qvm
	$(Q)$(INSTALL) 644 $(B)/completions/bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/qvmadm
	$(Q)$(INSTALL) 644 $(B)/completions/zsh $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_qvmadm
	$(Q)$(INSTALL) 644 $(B)/completions/fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/qvmadm.fish
	$(Q)for e in packaging/examples/*.qvmconf; do \
		$(INSTALL) 644 $$e $(EXAMPLES)/$${e##*/} && sed -i '$(as_installed)' $(EXAMPLES)/$${e##*/} || exit 1; \
	done
	$(Q)for g in $$(sed -n 's|^load.*build/tests/\(guests/.*\)|\1|p' packaging/examples/*.qvmconf | sort -u); do \
		$(INSTALL) 644 $(B)/tests/$$g $(EXAMPLES)/$$g || exit 1; \
	done
	$(Q)$(INSTALL) 644 vmm/vdev/sdk.h $(DESTDIR)$(PREFIX)/include/qvm/vdev.h
	$(Q)$(INSTALL) 644 $(B)/qvm-vdev.pc $(DESTDIR)$(PREFIX)/share/pkgconfig/qvm-vdev.pc
	$(Q)for u in qvmd.service qvm.slice; do \
		mkdir -p $(UNITS)/systemd/system && \
		sed 's|@PREFIX@|$(PREFIX)|' packaging/systemd/$$u >$(UNITS)/systemd/system/$$u || exit 1; \
	done
	$(Q)$(INSTALL) 644 packaging/systemd/sysusers.conf $(UNITS)/sysusers.d/qvm.conf
	$(Q)$(INSTALL) 644 packaging/systemd/tmpfiles.conf $(UNITS)/tmpfiles.d/qvm.conf

.PHONY: demo transcript man completions install
