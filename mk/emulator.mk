# `make bench-contacts`: the app chip as firmware of a Cortex-M3, in an emulator (libunicorn), at the contacts: instructions to
# the answer to reset, of start and commands; bytes and etu on the line. Fails if a goal is missed (docs/contacts.md).
arm := arm-none-eabi-
firmware := build/cortex-m3/firmware.bin
firmware_src := $(filter-out src/crypto/tomcrypt%,$(app_src)) $(wildcard tests/emulator/firmware/*.c)
firmware_objects := $(patsubst %,build/cortex-m3/%.o,$(firmware_src) tests/emulator/firmware/traps.S)
# As in tools/size/objects.py.
arm_flags := -mcpu=cortex-m3 -mthumb -std=c11 -Os -ffunction-sections -fdata-sections -ffreestanding -nostdinc \
    -fno-tree-loop-distribute-patterns $(warnings) -Iinclude -Isrc -MMD -MP

build/cortex-m3/%.o: %
	@mkdir -p $(@D)
	$(arm)gcc $(arm_flags) -isystem $$($(arm)gcc -print-file-name=include) -c -o $@ $<

$(firmware:.bin=.elf): $(firmware_objects) tests/emulator/firmware/cortex_m3.ld
	$(arm)gcc -mcpu=cortex-m3 -mthumb -nostdlib -nostartfiles -Wl,--gc-sections -T tests/emulator/firmware/cortex_m3.ld \
	    -o $@ $(firmware_objects) -lgcc

$(firmware): %.bin: %.elf
	$(arm)objcopy -O binary $< $@

bench_contacts := $(BUILD)/tests/emulator/bench_contacts
$(bench_contacts): $(call object,$(wildcard tests/emulator/*.c)) $(support_lib) $(twinctl_lib) $(host_lib) $(app_lib) $(secure_lib)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(crypto_libs) -lunicorn -lcmocka -lcrypto -lpcsclite -ljansson

.PHONY: bench-contacts
bench-contacts: $(bench_contacts) $(firmware)
	@$^
-include $(firmware_objects:.o=.d)
