# SPDX-License-Identifier: Apache-2.0
# What the review list of the house style can be made to check by itself.

lint_c := $(sort $(wildcard base/*.[ch] schemas/*.[ch] $(foreach d,daemon api vmm client,$d/*.[ch] $d/*/*.[ch]) tests/unit/*.[ch] tests/fuzz/*.[ch] tests/sim/*.[ch] tests/fault/*.[ch] tests/fault/*/*.[ch] tests/perf/*.[ch]))
lint_sources := $(filter %.c,$(filter-out tests/%,$(lint_c)))

lint: depends-build-lint
	@$(MAKE) --no-print-directory check-layers check-headers check-size check-format check-page check-tidy check-cppcheck
	@echo "lint: clean"

check-layers:
	@awk -f tests/lint/layers.awk $(filter-out tests/%,$(lint_c))

check-headers:
	@for h in $(filter %.h,$(lint_c)); do \
		$(CC) -std=c17 -D_GNU_SOURCE -I. -Wall -Werror -fsyntax-only -include $$h -x c /dev/null || exit 1; \
	done

check-size:
	@wc -l $(lint_c) $(wildcard tests/*/*.py schemas/*.def api/page/*.js api/page/*.css) | awk '$$1 > 600 && $$2 != "total" { print "over 600 lines: " $$2; bad = 1 } END { exit bad }'

check-format:
	@clang-format --dry-run --Werror $(lint_c)

# Text becomes markup, or a program, by none of these; the page's policy (api/page/page.c) forbids them, too.
check-page:
	@! grep -nE 'innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|javascript:|[ (]style=' api/page/*.js api/page/*.html
	@! grep -nE ' on[a-z]+=' api/page/*.html api/page/*.svg
	@tidy -q -e --drop-empty-elements no api/page/index.html

check-tidy:
	@mkdir -p $(B)
	@printf '%s\n' $(lint_sources) | xargs -P 2 -n 6 sh -c 'clang-tidy --quiet --warnings-as-errors="*" "$$@" -- -std=c17 -D_GNU_SOURCE -I. -DQVM_VERSION=\"lint\" 2>/dev/null' tidy

check-cppcheck:
	@cppcheck --quiet --std=c11 -j 2 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppressions-list=tests/lint/cppcheck.txt -D_GNU_SOURCE -D__x86_64__ '-Djson_array_foreach(a,i,v)=for(;;)' '-Djson_object_foreach(o,k,v)=for(;;)' -DQVM_VERSION='"lint"' -I. $(lint_sources)

.PHONY: lint check-layers check-headers check-size check-format check-page check-tidy check-cppcheck
