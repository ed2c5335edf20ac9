# SPDX-License-Identifier: Apache-2.0
# The terminal of the page, from Debian's node-xterm: its modules in one file (pack-xterm). Without that
# package the page is made with a plain console.

XTERM := /usr/share/nodejs/xterm/lib
XTERM_FILES := $(filter-out %.test.js,$(wildcard $(foreach d,. *  */* */*/*,$(XTERM)/$d/*.js)))

$(B)/page/xterm.js: api/page/pack-xterm $(XTERM_FILES)
	@mkdir -p $(@D)
	@echo "  pack     xterm"
	$(Q)api/page/pack-xterm $(XTERM) >$@

$(B)/page/xterm.css: $(wildcard $(XTERM)/xterm.css)
	@mkdir -p $(@D)
	$(Q)cat $^ /dev/null >$@

# .incbin is not seen by -MMD, and looks where the assembler does.
$(B)/api/page/page.o: $(wildcard api/page/*.html api/page/*.css api/page/*.js api/page/*.svg) $(B)/page/xterm.js $(B)/page/xterm.css
$(B)/api/page/page.o: CFLAGS += -Wa,-I$(B)/page
