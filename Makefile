# TwinCOS. `make demo` and `make check` do all set-up themselves; `make help` lists the targets.
#
# Variables: CC (gcc or clang), SAN=1 (ASan and UBSan), COV=1 (line coverage), PREFIX and DESTDIR for install.
# Each combination has its own folder under build/.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

ifeq ($(origin CC),default)
CC := gcc
endif
AR ?= ar
PREFIX ?= /usr/local
VERSION := $(shell sed -n 's/^\#define COS_VERSION "\(.*\)"/\1/p' include/cos/config.h)

comma := ,
variant := $(if $(findstring clang,$(CC)),-clang)$(if $(SAN),-san)$(if $(COV),-cov)
BUILD ?= build/host$(variant)

warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
CFLAGS ?= -O2 -g
override CFLAGS += -std=c11 $(warnings) -Iinclude -Isrc -MMD -MP $(if $(COV),--coverage -O0 -fprofile-update=atomic) \
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

.PHONY: all
all: $(app_lib) $(secure_lib) $(programs)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) -c -o $@ $<

# Tools and host port use POSIX and Linux; the core does not.
$(BUILD)/obj/port/%.o $(BUILD)/obj/tools/%.o $(BUILD)/obj/tests/%.o: CPPFLAGS += -D_GNU_SOURCE
$(BUILD)/obj/tests/%.o: CPPFLAGS += -Itests/support -Iport/host -Itools
$(BUILD)/obj/tools/%.o: CPPFLAGS += -Iport/host

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

# `make unit` builds and runs every cmocka program; T=name runs one.
.PHONY: unit
unit: $(if $(T),$(filter %/$(T),$(tests)),$(tests)) $(programs)
	@tests/run $(filter-out $(programs),$^)

.PHONY: setup clean help
setup:
	@tools/setup

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
