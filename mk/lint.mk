# `make lint`: layout (clang-format), cppcheck, clang-tidy (.clang-tidy says what is left out and why), shell syntax.
lint_files = $(shell find include src port tools tests -name '*.[ch]' | sort)
lint_sources = $(filter %.c,$(lint_files))
lint_flags := -D_GNU_SOURCE -Iinclude -Isrc -Iport/host -Itools -Itests/support
lint_jobs := $(shell nproc)

# cppcheck looks at sources alone, so system headers are missing. What else it is not asked:
#   constStatement             takes a struct literal that is assigned for a statement without effect (gcc warns of those)
#   invalidPrintfArgType_*int  signs of constants in printf; the compilers check the types
cppcheck_flags := --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --suppress=missingIncludeSystem --suppress=constStatement \
    --suppress=invalidPrintfArgType_uint --suppress=invalidPrintfArgType_sint

.PHONY: lint lint-format lint-cppcheck lint-tidy lint-shell
lint: lint-format lint-cppcheck lint-tidy lint-shell
	@echo 'lint: $(words $(lint_files)) files clean'

lint-format:
	@clang-format --dry-run -Werror $(lint_files)

lint-cppcheck:
	@cppcheck $(cppcheck_flags) -j$(lint_jobs) $(lint_flags) $(lint_sources)

# One file a run: with several, version 14 takes every va_list for uninitialized. Its own count of what it left out goes
# nowhere.
lint-tidy:
	@printf '%s\n' $(lint_sources) | xargs -P$(lint_jobs) -n1 sh -c \
	    'out=$$(clang-tidy --quiet "$$0" -- -std=c11 $(lint_flags) $(shell pkg-config --cflags libpcsclite) 2>&1) || \
	    { printf "%s\n" "$$out" | grep -v "warnings generated"; exit 1; }'

lint-shell:
	@find tools tests -type f | xargs grep -lE '^#!/bin/sh' | xargs -n1 sh -n
