# SPDX-License-Identifier: Apache-2.0
"""What the tool chain says of compiled objects: symbols, sections, relocations, an image's map."""
import os
import re
import subprocess

TARGETS = {
    "cortex-m3": {
        "prefix": "arm-none-eabi-",
        "machine": ["-mcpu=cortex-m3", "-mthumb"],
    },
    "rv32imac": {
        "prefix": "riscv64-unknown-elf-",
        # Registers are saved by library routines: what one builds with when size counts.
        "machine": ["-march=rv32imac", "-misa-spec=2.2", "-mabi=ilp32", "-msave-restore"],
    },
}

# The core is freestanding: the compiler's own headers are the only ones there are.
FREESTANDING = ["-std=c11", "-Os", "-ffunction-sections", "-fdata-sections", "-ffreestanding",
                "-nostdinc", "-fcallgraph-info=su,da", "-Iinclude", "-Isrc"]

CALL_RELOCATION = re.compile(r"R_ARM_THM_(CALL|JUMP\d+|XPC22)|R_ARM_(CALL|JUMP24|PC24)|"
                             r"R_RISCV_(CALL|CALL_PLT|JAL|BRANCH|RVC_JUMP|RVC_BRANCH)$")
TEXT_SECTION = re.compile(r"\.text(?:\.(?:unlikely|hot|startup|exit))?\.(.+)")


def plain_name(symbol):
    """A function's name as the call graph has it: without the number of a clone, and without the
    mark of a function that the compiler knows."""
    return re.sub(r"\.\d+$", "", symbol).removeprefix("__builtin_")


def run(*command):
    """Output of a command; its own message and the end of the program if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"size: {' '.join(command)}\n{done.stderr}")
    return done.stdout


class Tools:
    """One target's tool chain."""

    def __init__(self, name, warnings):
        self.name = name
        self.prefix = TARGETS[name]["prefix"]
        self.gcc = [self.prefix + "gcc", *TARGETS[name]["machine"]]
        try:
            headers = run(*self.gcc, "-print-file-name=include").strip()
        except FileNotFoundError:
            raise SystemExit(f"size: {self.prefix}gcc is not installed: run make setup") from None
        self.compile_flags = [*FREESTANDING, *warnings, "-isystem", headers]
        libgcc = run(*self.gcc, "-print-libgcc-file-name").strip()
        symbols = run(self.prefix + "nm", "--defined-only", libgcc).split()
        self.helpers = {name for name in symbols if name.startswith("_")}

    def compile(self, source, folder):
        """Compiles one file; returns the object's path. The call graph stands beside it (.ci)."""
        target = os.path.join(folder, os.path.splitext(source)[0] + ".o")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        run(*self.gcc, *self.compile_flags, "-c", "-o", target, source)
        return target


class Object:
    """One object file of the core."""

    def __init__(self, tools, source, path):
        self.source, self.path = source, path
        self.part = source.split("/")[1]
        self.defined, self.undefined, self.functions = set(), set(), {}
        self._read_symbols(tools)
        self.writable = self._read_writable(tools)
        self.calls, self.addressed = {}, set()
        self._read_relocations(tools)

    def _read_symbols(self, tools):
        for line in run(tools.prefix + "nm", "-S", self.path).splitlines():
            *numbers, kind, name = line.split()
            if kind == "U":
                self.undefined.add(name)
                continue
            if kind.isupper():
                self.defined.add(name)
            if kind in "Tt" and len(numbers) == 2:
                self.functions[plain_name(name)] = int(numbers[1], 16)

    def _read_writable(self, tools):
        found = []
        for line in run(tools.prefix + "readelf", "-SW", self.path).splitlines():
            fields = re.match(r"\s*\[ *\d+\] (\S+)\s+(?:PROGBITS|NOBITS)\s+\S+ \S+ (\S+) \S+ +(\S+)",
                              line)
            if fields and "W" in fields[3] and int(fields[2], 16) != 0:
                found.append(f"{fields[1]} ({int(fields[2], 16)} bytes)")
        return found

    def _read_relocations(self, tools):
        """Whom each function calls directly, and whose address anything in the file takes."""
        section = ""
        for line in run(tools.prefix + "objdump", "-r", self.path).splitlines():
            heading = re.match(r"RELOCATION RECORDS FOR \[(.*)\]", line)
            if heading:
                section = heading[1]
                continue
            fields = line.split()
            if len(fields) != 3 or not fields[1].startswith("R_"):
                continue
            symbol = re.sub(r"[+-]0x[0-9a-f]+$", "", fields[2])
            named = TEXT_SECTION.match(symbol)
            symbol = plain_name(named[1] if named else symbol)
            caller = TEXT_SECTION.match(section)
            if CALL_RELOCATION.match(fields[1]) and caller:
                self.calls.setdefault(plain_name(caller[1]), set()).add(symbol)
            elif section.startswith((".text", ".rodata", ".srodata")):
                self.addressed.add(symbol)


def link(tools, objects, entries, output):
    """Links an image of `entries` and what they reach; returns (kind, object path, section, bytes)
    for every section that stays. What a firmware adds (memcpy, the provider) may be missing."""
    map_file = output + ".map"
    run(*tools.gcc, "-nostdlib", "-nostartfiles", "-Wl,--gc-sections", f"-Wl,-e,{entries[0]}",
        *[f"-Wl,-u,{name}" for name in entries], "-Wl,--unresolved-symbols=ignore-all",
        f"-Wl,-Map={map_file}", "-o", output, *[one.path for one in objects], "-lgcc")
    with open(map_file, encoding="utf-8") as file:
        kept = file.read().split("Linker script and memory map", 1)[1]
    line = re.compile(r"^ (\.\S+|COMMON)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", re.M)
    sections = []
    for name, _, size, path in line.findall(kept):
        kind = section_kind(name)
        if kind and int(size, 16) != 0:
            sections.append((kind, path, name, int(size, 16)))
    return sections


def section_kind(name):
    """text (code and constants), data or bss; nothing for what no chip loads."""
    kinds = {"text": (".text", ".rodata", ".srodata", ".sdata2"), "data": (".data", ".sdata"),
             "bss": (".bss", ".sbss", "COMMON")}
    for kind, prefixes in kinds.items():
        if any(name == one or name.startswith(one + ".") for one in prefixes):
            return kind
    return None
