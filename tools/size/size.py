#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make size: what the portable core costs on a small chip, and whether it keeps the rules that its
object files can prove (docs/size.md). Run from the project's root.

size.py [--target NAME] [--top N] OUTPUT-FOLDER [-- WARNING-FLAGS]"""
import argparse
import glob
import json
import os
import re
import sys

from objects import TARGETS, Object, Tools, link, run
from stack import Graph

# What each part may take symbols from (docs/size.md, "Layers"); a file instead of a folder
# admits that file alone.
MAY_USE = {
    "base": [],
    "apdu": ["base"],
    "fs": ["base"],
    "crypto": ["base"],
    "gate": ["base", "crypto"],
    "secure_domain": ["base", "gate", "crypto", "fs", "src/apdu/apdu.c"],
    "app_domain": ["base", "gate", "apdu", "fs"],
}
# The gate's two ends: one to a chip.
MAY_NOT_USE = {"secure_domain": ["src/gate/client.c"], "app_domain": ["src/gate/server.c"]}

CHIPS = {
    "app": {
        "parts": ["base", "apdu", "fs", "crypto", "gate", "app_domain"],
        "other": "secure_domain",
        "entries": ["cos_app_atr", "cos_app_start", "cos_app_command", "cos_app_direction",
                    "cos_app_refused", "cos_app_settle", "cos_transport_serve", "cos_transport_idle"],
        "struct": "struct cos_app",
        # 253 pages less a reserve of 16 (port/host), and responses as long as the default gate message.
        "buffers": {"page map": 237 * 2, "response buffer": 592},
    },
    "secure": {
        "parts": ["base", "apdu", "fs", "crypto", "gate", "secure_domain"],
        "other": "app_domain",
        "entries": ["cos_secure_start", "cos_secure_serve", "cos_secure_sensor"],
        "struct": "struct cos_secure",
        "buffers": {"page map": 111 * 2},
    },
}

# Needs libtomcrypt, which is measured by itself. The modes that it is made of are ours and counted.
PROVIDER = sorted(glob.glob("src/crypto/tomcrypt*.c"))
MODES = "src/crypto/modes.c"
FOREIGN = {"memcpy", "memset", "memcmp", "memmove", "cos_crypto_tomcrypt"}
FLOATING = re.compile(r"__aeabi_(?:f|d|cf|cd|i2[fd]|ui2[fd]|l2[fd]|ul2[fd])|__\w*[sdt]f\d?$")


# Parts whose global names are not all cos_ yet: a warning there, an error anywhere else.
UNPREFIXED = set()


# ---- Rules ----

def check_symbols(tools, objects):
    """Nothing from outside, no global name without prefix, no writable data."""
    problems = []
    for name, chip in CHIPS.items():
        mine = [one for one in objects if one.part in chip["parts"]]
        whole = os.path.join(os.path.dirname(mine[0].path), f"../../{name}-whole.o")
        run(*tools.gcc, "-nostdlib", "-r", "-o", whole, *[one.path for one in mine])
        for symbol in run(tools.prefix + "nm", "-u", whole).split()[1::2]:
            if symbol not in FOREIGN and (symbol not in tools.helpers or FLOATING.match(symbol)):
                users = [one.source for one in mine if symbol in one.undefined]
                problems.append(f"{name} chip: {symbol} is not the core's ({', '.join(users)})")
    for one in objects:
        names = [name for name in sorted(one.defined) if not name.startswith("cos_")]
        if names and one.part in UNPREFIXED:
            print(f"warning: {one.source}: global names without cos_: {', '.join(names)}")
        elif names:
            problems.append(f"{one.source}: global names without cos_: {', '.join(names)}")
        problems += [f"{one.source}: writable data: {section}" for section in one.writable]
    return problems


def check_layers(objects):
    """Who takes whose symbols."""
    owner = {symbol: one for one in objects for symbol in one.defined}
    problems = []
    for one in objects:
        for symbol in sorted(one.undefined & owner.keys()):
            other = owner[symbol]
            allowed = MAY_USE[one.part] + [one.part]
            if (other.part not in allowed and other.source not in allowed) or \
                    other.source in MAY_NOT_USE.get(one.part, []):
                problems.append(f"{one.source} may not use {symbol} of {other.source}")
    return problems


def check_sources():
    """What only sources show: who includes libtomcrypt or a private header, and who reaches into
    the provider by its struct."""
    problems = []
    for path in sorted(glob.glob("**/*.[ch]", recursive=True)):
        folder = path.split("/")[0]
        if folder not in ("include", "src", "port", "tools", "tests"):
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for header in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, re.M):
            if header in ("tomcrypt.h", "tommath.h") and not path.startswith("src/crypto/tomcrypt"):
                problems.append(f"{path}: includes {header}, which only the provider may")
            private = os.path.exists(os.path.join("src", header)) and header.endswith(".h")
            if folder in ("port", "tools") and private:
                problems.append(f"{path}: includes the private header {header}")
        if path.startswith("src/app_domain/") and re.search(r"\bcrypto(?:->|\.)\w+\(", text):
            problems.append(f"{path}: calls the crypto provider")
    return problems


# ---- Figures ----

def measure_image(tools, objects, name, folder):
    """Code and data of one chip's image by part, functions, and what strayed in."""
    chip = CHIPS[name]
    part_of = {one.path: one.part for one in objects}
    modes = next(one for one in objects if one.source == MODES)
    sections = link(tools, objects, chip["entries"] + sorted(modes.defined),
                    os.path.join(folder, f"{name}.elf"))
    parts, functions, problems = {}, [], []
    for kind, path, section, size in sections:
        part = part_of.get(path, "compiler helpers")
        parts.setdefault(part, {"text": 0, "data": 0, "bss": 0})[kind] += size
        if path in part_of:
            source = os.path.relpath(path, folder)[:-2] + ".c"
            functions.append({"bytes": size, "section": section, "source": source})
        if part == chip["other"]:
            problems.append(f"{name} chip: the image holds {section} of {chip['other']}")
    functions.sort(key=lambda one: -one["bytes"])
    totals = {kind: sum(one[kind] for one in parts.values()) for kind in ("text", "data", "bss")}
    return {"parts": parts, "total": totals, "functions": functions}, problems


def measure_ram(tools, folder):
    """Static RAM of each chip: its struct, measured by the target's compiler, and its buffers."""
    source = os.path.join(folder, "ram.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write('#include "cos/app.h"\n#include "cos/secure.h"\n')
        for name, chip in CHIPS.items():
            file.write(f"extern const char size_{name}[];\n"
                       f"const char size_{name}[sizeof({chip['struct']})] = {{0}};\n")
    run(*tools.gcc, *tools.compile_flags, "-c", "-o", source[:-2] + ".o", source)
    sizes = {}
    for line in run(tools.prefix + "nm", "-S", source[:-2] + ".o").splitlines():
        _, size, _, symbol = line.split()
        sizes[symbol] = int(size, 16)
    ram = {}
    for name, chip in CHIPS.items():
        ram[name] = {chip["struct"]: sizes["size_" + name], **chip["buffers"]}
        ram[name]["total"] = sum(ram[name].values())
    return ram


def measure_stack(graph, name):
    worst = {}
    for entry in CHIPS[name]["entries"]:
        size, path = graph.worst(entry)
        worst[entry] = {"bytes": size, "path": [{"function": f, "frame": n} for f, n in path],
                        "leaves": graph.leaves_below(entry)}
    return worst


def measure(target, folder, warnings):
    tools = Tools(target, warnings)
    folder = os.path.join(folder, target)
    sources = [path for path in sorted(glob.glob("src/*/*.c")) if path not in PROVIDER]
    objects = [Object(tools, source, tools.compile(source, folder)) for source in sources]
    problems = check_symbols(tools, objects) + check_layers(objects)
    ram = measure_ram(tools, folder)
    figures = {}
    for name in CHIPS:
        figures[name], strays = measure_image(tools, objects, name, folder)
        figures[name]["ram"] = ram[name]
        graph = Graph([one for one in objects if one.part in CHIPS[name]["parts"]], tools.helpers)
        figures[name]["stack"] = measure_stack(graph, name)
        problems += strays + [one for one in graph.problems if one not in problems]
    modes = next(one for one in objects if one.source == MODES)
    figures["modes stack"] = max(graph.worst(entry)[0] for entry in modes.defined)
    return figures, problems


# ---- Report ----

def read_budgets(path="docs/size.md"):
    """Rows `| processor | chip | code | ram | stack |` of the document's table."""
    with open(path, encoding="utf-8") as file:
        rows = re.findall(r"^\| (\S+) \| (app|secure) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|",
                          file.read(), re.M)
    budgets = {(target, chip): dict(zip(("code", "ram", "stack"),
                                        (int(limit.replace(",", "")) for limit in limits)))
               for target, chip, *limits in rows}
    wanted = {(target, chip) for target in TARGETS for chip in CHIPS}
    if budgets.keys() != wanted:
        raise SystemExit(f"size: {path} has budgets for {sorted(budgets)}, not {sorted(wanted)}")
    return budgets


def compare(target, figures, budgets):
    problems = []
    for chip in CHIPS:
        found = {
            "code": figures[chip]["total"]["text"] + figures[chip]["total"]["data"],
            "ram": figures[chip]["ram"]["total"],
            "stack": max(one["bytes"] for one in figures[chip]["stack"].values()),
        }
        for what, limit in budgets[target, chip].items():
            exceeded = found[what] > limit
            if exceeded:
                problems.append(f"{target}, {chip} chip: {what} {found[what]:,} bytes, "
                                f"budget {limit:,}")
            print(f"    {target:10} {chip:6} {what:5} {found[what]:7,} of {limit:7,} bytes"
                  f"  {found[what] * 100 // limit:3} %{'  EXCEEDED' if exceeded else ''}")
    return problems


def report(target, figures, top):
    for name in CHIPS:
        chip = figures[name]
        print(f"\n{target}, {name} chip          text    data     bss")
        for part, size in sorted(chip["parts"].items()) + [("total", chip["total"])]:
            print(f"  {part:22} {size['text']:7,} {size['data']:7,} {size['bss']:7,}")
        print("  static RAM " + ", ".join(f"{what} {size:,}" for what, size in chip["ram"].items()))
        for worst in chip["stack"].values():
            path = " > ".join(f"{one['function']} {one['frame']}" for one in worst["path"])
            print(f"  stack {worst['bytes']:5,}: {path}")
        leaves = sorted({leaf for worst in chip["stack"].values() for leaf in worst["leaves"]})
        print("  counted as 0: " + ", ".join(leaves))
        for one in chip["functions"][:top]:
            print(f"  - {one['bytes']:6,}  {one['section']}  {one['source']}")
    print(f"\n{target}: a provider made of modes.h adds {figures['modes stack']:,} bytes of stack "
          "and its own")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--target", action="append", choices=TARGETS)
    arguments.add_argument("--top", type=int, default=0, help="largest functions of each chip")
    arguments.add_argument("folder")
    arguments.add_argument("warnings", nargs="*")
    options = arguments.parse_args()
    budgets, everything, exceeded, problems = read_budgets(), {}, [], {}
    for target in options.target or TARGETS:
        figures, found = measure(target, options.folder, options.warnings)
        report(target, figures, options.top)
        exceeded += compare(target, figures, budgets)
        for problem in found:
            problems.setdefault(problem, []).append(target)
        everything[target] = figures
    with open(os.path.join(options.folder, "size.json"), "w", encoding="utf-8") as file:
        json.dump(everything, file, indent=1)
    problems = check_sources() + [f"{', '.join(targets)}: {problem}"
                                  for problem, targets in problems.items()] + exceeded
    for problem in problems:
        print("size: " + problem)
    print(f"size: {len(problems)} problems" if problems else "size: all rules and budgets kept")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
