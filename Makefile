# TwinCOS. `make demo` and `make check` do all set-up themselves; `make help` lists the targets.
#
# Variables: CC (gcc or clang), SAN=1 (ASan and UBSan), COV=1 (lines of src/ that are run), PREFIX and DESTDIR for install.
# Each combination has its own folder under build/.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

ifeq ($(origin CC),default)
CC := gcc
endif
AR ?= ar
PREFIX ?= /usr/local

comma := ,
variant := $(if $(findstring clang,$(CC)),-clang)$(if $(SAN),-san)$(if $(COV),-cov)
BUILD ?= build/host$(variant)

warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
CFLAGS ?= -O2 -g
override CFLAGS += -std=c11 $(warnings) -Iinclude -Isrc -MMD -MP \
    $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
override LDFLAGS += $(if $(COV),--coverage) $(if $(SAN),-fsanitize=address$(comma)undefined)

# What each part is made of. The two chips share base, apdu, crypto, gate and fs, and nothing else.
common_src := $(wildcard src/base/*.c src/apdu/*.c src/fs/*.c src/crypto/*.c src/gate/*.c)
app_src := $(common_src) $(wildcard src/app_domain/*.c)
secure_src := $(common_src) $(wildcard src/secure_domain/*.c)
host_src := $(wildcard port/host/*.c)
twincard_src := $(wildcard tools/twincard/*.c)
twinctl_src := $(wildcard tools/twinctl/*.c)
support_src := $(wildcard tests/support/*.c)
test_src := $(wildcard tests/unit/test_*.c tests/gate/test_*.c tests/card/test_*.c tests/power/test_*.c)

object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
app_lib := $(BUILD)/libcos-app.a
secure_lib := $(BUILD)/libcos-secure.a
host_lib := $(BUILD)/libcos-host.a
support_lib := $(BUILD)/libsupport.a
twinctl_lib := $(BUILD)/libtwinctl.a
twincard_lib := $(BUILD)/libtwincard.a
programs := $(if $(twincard_src),$(BUILD)/twincard) $(if $(twinctl_src),$(BUILD)/twinctl)
tests := $(patsubst %.c,$(BUILD)/%,$(test_src))

crypto_libs := -ltomcrypt -ltommath
memcheck_tests := unit/test_tlv unit/test_apdu unit/test_crypto unit/test_constant_time unit/test_store_copy unit/test_fs unit/test_fs_object \
    unit/test_fs_record unit/test_rule gate/test_channel gate/test_vault card/test_card_select card/test_card_file \
    card/test_card_records card/test_card_pin card/test_card_scp03 \
    card/test_card_scp03_recorded card/test_card_iso_recorded card/test_card_life

.PHONY: all
all: $(app_lib) $(secure_lib) $(programs)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) -c -o $@ $<

# Tools and host port use POSIX and Linux; the core does not.
$(BUILD)/obj/port/%.o $(BUILD)/obj/tools/%.o $(BUILD)/obj/tests/%.o: CPPFLAGS += -D_GNU_SOURCE
# Rows of a test's table leave out what is zero.
$(BUILD)/obj/tests/%.o: CPPFLAGS += -Itests/support -Iport/host -Itools -Wno-missing-field-initializers
$(BUILD)/obj/tools/%.o: CPPFLAGS += -Iport/host
$(BUILD)/obj/src/%.o: CFLAGS += $(if $(COV),--coverage)
$(BUILD)/obj/tools/twinctl/%.o: CPPFLAGS += $(shell pkg-config --cflags libpcsclite 2>/dev/null)

define archive
@mkdir -p $(@D)
@rm -f $@
$(AR) rcs $@ $^
endef

$(app_lib): $(call object,$(app_src)); $(archive)
$(secure_lib): $(call object,$(secure_src)); $(archive)
$(host_lib): $(call object,$(host_src)); $(archive)
$(support_lib): $(call object,$(support_src)); $(archive)
$(twinctl_lib): $(call object,$(filter-out %/main.c,$(twinctl_src))); $(archive)

$(twincard_lib): $(call object,$(filter-out %/main.c,$(twincard_src))); $(archive)

$(BUILD)/twincard: $(call object,tools/twincard/main.c) $(twincard_lib) $(host_lib) $(app_lib) $(secure_lib)
	$(CC) $(LDFLAGS) -o $@ $^ $(crypto_libs) -lseccomp

$(BUILD)/twinctl: $(call object,tools/twinctl/main.c) $(twinctl_lib) $(host_lib)
	$(CC) $(LDFLAGS) -o $@ $^ -lcrypto -lpcsclite -ljansson

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(support_lib) $(twinctl_lib) $(twincard_lib) $(host_lib) $(app_lib) $(secure_lib)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(crypto_libs) -lseccomp -lcmocka -lcrypto -lpcsclite -ljansson
.PRECIOUS: $(BUILD)/obj/%.o

# Both chips with SCP02 (include/cos/config.h), for its test.
scp02_lib := $(BUILD)/libcos-scp02.a
$(BUILD)/obj-scp02/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) -DCOS_SCP02 -c -o $@ $<
$(scp02_lib): $(patsubst %.c,$(BUILD)/obj-scp02/%.o,$(sort $(app_src) $(secure_src))); $(archive)
$(BUILD)/tests/card/test_card_scp02: $(BUILD)/obj/tests/card/test_card_scp02.o $(support_lib) $(twinctl_lib) \
    $(twincard_lib) $(host_lib) $(scp02_lib)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(crypto_libs) -lseccomp -lcmocka -lcrypto -lpcsclite -ljansson

# `make unit` builds and runs every cmocka program; T=name runs one.
.PHONY: unit tests
tests: $(tests) $(programs)
unit: $(if $(T),$(filter %/$(T),$(tests)),$(tests)) $(programs)
	@tests/run $(filter-out $(programs),$^)

.PHONY: setup demo check power coverage coverage-report memcheck fuzz clients clean help
setup:
	@tools/setup

# The main job, from two blank chips to a remote login.
demo: setup
	@mkdir -p build
	@$(MAKE) --no-print-directory -j2 all $(BUILD)/tests/card/test_hostile >build/demo-build.log 2>&1 || \
	    { cat build/demo-build.log >&2; exit 1; }
	@BUILD=$(BUILD) tools/demo.sh

# Everything, each stage by itself, with totals at the end.
check: setup
	@tests/check

# The long form of the torn-power rig; make check runs the short one.
power: $(filter %_power,$(tests))
	@POWER_LONG=1 TEST_TIMEOUT=86400 tests/run $^

# The sanitizers' run counts lines, too: one of both is enough.
coverage:
	@mkdir -p build
	@POWER_SHORT=4 $(MAKE) --no-print-directory SAN=1 COV=1 unit >build/coverage.log 2>&1 || { tail -n 40 build/coverage.log; exit 1; }
	@$(MAKE) --no-print-directory coverage-report
coverage-report:
	@gcovr --root . --object-directory build/host-san-cov --filter 'src/' --exclude-unreachable-branches -j 2 \
	    --txt build/coverage.txt --json-summary build/coverage.json && cat build/coverage.txt

# Valgrind on the tests that touch every part once; the sanitizers run all of them.
memcheck: $(addprefix $(BUILD)/tests/,$(memcheck_tests))
	@tests/memcheck $^

# SECONDS=n: fuzzes each target that long; MERGE=1: then minimises the corpora; T=name: one target.
fuzz:
	@T=$(T) MERGE=$(MERGE) tests/fuzz/run.sh $(SECONDS)

clients: all
	@tests/clients/run.sh

clean:
	rm -rf build

help:
	@echo 'make          libraries, twincard, twinctl in $(BUILD)'
	@echo 'make demo     set-up, build, a card from two blank chips to a remote login'
	@echo 'make check    set-up, build, every test, totals'
	@echo 'make unit     cmocka programs (T=name: one of them; SAN=1, COV=1, CC=clang)'
	@echo 'make power    torn power, long form          make fuzz SECONDS=n  fuzz that long (MERGE=1: keep what it found)'
	@echo 'make size     code, RAM, stack, layering     make lint            format, cppcheck, clang-tidy'
	@echo 'make clients  real PC/SC clients             make coverage        lines covered'
	@echo 'make bench-fs what commands on files cost    make bench-gate      what the gate costs'
	@echo 'make bench-contacts  instructions to the ATR and of commands on a Cortex-M3, bytes and etu on the line'
	@echo 'tests/power/mutants.sh  tests the rig of torn power'
	@echo 'make docs     generated pages                make install PREFIX=/usr/local'

include $(wildcard mk/*.mk)
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
