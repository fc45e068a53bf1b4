#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs bench_fs for cards with few and many files under callgrind and makes a table of it.

  bench_fs.py PROGRAM FOLDER     the table on standard output, FOLDER/fs.json and FOLDER/fs.txt

Instructions are those of the workstation's processor, so only their ratios mean anything elsewhere; they are the same in
every run. Ends with 1 if a goal is missed:
  SELECT and READ at 1,000 files take at most 1.5 times the instructions that they take at 10;
  the mount of the files does not depend on their number;
  SELECT, READ and SEARCH write nothing, an update in a page costs one page program, appending to a cyclic file at most two,
  and no command leaves more than one mark; at most one erase a page program (but for what settling scrubs).
"""
import json
import pathlib
import re
import subprocess
import sys

COUNTS = (10, 100, 1000)
RATIO = 1.5


def instructions(folder):
    """Totals of callgrind's dumps by the title that the program gave them."""
    totals = {}
    for path in folder.glob("callgrind.out.*"):
        text = path.read_text(errors="replace")
        title = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)
        total = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
        if title and total:
            totals[title.group(1)] = int(total.group(1))
    return totals


def run(program, folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("callgrind.out.*"):
        old.unlink()
    done = subprocess.run(
        ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/callgrind.out.x", program,
         str(files)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench_fs {files}: {done.stderr[-2000:]}")
    counted = instructions(folder)
    rows = {}
    for line in done.stdout.splitlines():
        name, parameter, sw, pages, erases, marks, length = line.split("|")
        rows[f"{name}|{parameter}"] = {
            "sw": sw, "page_programs": int(pages), "erases": int(erases), "marks": int(marks), "bytes": int(length),
            "instructions": counted.get(f"{name}|{parameter}")}
    return rows


def missed(name, cells):
    """The goals that one command misses."""
    few, many = cells[COUNTS[0]], cells[COUNTS[-1]]
    command = name.split("|")[0]
    for count, cell in cells.items():
        if cell["sw"] not in ("9000", "0"):
            yield f"{name}: answers {cell['sw']} at {count} files"
        if command in ("SELECT", "READ BINARY", "READ RECORD", "SEARCH RECORD", "GET DATA") and (
                cell["page_programs"] or cell["erases"] or cell["marks"]):
            yield f"{name}: writes at {count} files"
        if cell["marks"] > 1:
            yield f"{name}: {cell['marks']} marks at {count} files"
        one = ("UPDATE BINARY", "WRITE BINARY", "DEACTIVATE FILE", "ACTIVATE FILE")
        limit = 1 if command in one else 2 if "cyclic" in name else None
        if limit and cell["page_programs"] > limit:
            yield f"{name}: {cell['page_programs']} page programs at {count} files"
    if command in ("SELECT", "READ BINARY", "READ RECORD") and many["instructions"] > RATIO * few["instructions"]:
        yield f"{name}: {many['instructions'] / few['instructions']:.2f} times the instructions at {COUNTS[-1]} files"
    if command == "mount of the files" and many["instructions"] != few["instructions"]:
        yield "the mount of the files depends on their number"


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    results = {count: run(program, folder / str(count), count) for count in COUNTS}
    lines = [f"{'command':44} {'page':>5} {'erases':>6} {'marks':>5} {'bytes':>6}" +
             "".join(f"{f'{count} files':>12}" for count in COUNTS) + "   ratio"]
    problems = []
    for name in results[COUNTS[0]]:
        cells = {count: results[count][name] for count in COUNTS}
        few, many = cells[COUNTS[0]], cells[COUNTS[-1]]
        lines.append(f"{name.replace('|', ', ').rstrip(', '):44} {many['page_programs']:5} {many['erases']:6} {many['marks']:5} "
                     f"{many['bytes']:6}" + "".join(f"{cells[count]['instructions']:12,}" for count in COUNTS) +
                     f"{many['instructions'] / few['instructions']:8.2f}")
        problems += list(missed(name, cells))
    text = "\n".join(lines)
    print(text)
    print("(page programs, erases, marks and bytes at 1,000 files; instructions by number of files)")
    (folder / "fs.txt").write_text(text + "\n")
    (folder / "fs.json").write_text(json.dumps(results, indent=1) + "\n")
    for problem in problems:
        print("MISSED", problem)
    print(f"bench-fs: {len(results[COUNTS[0]])} commands, {len(problems)} goals missed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
