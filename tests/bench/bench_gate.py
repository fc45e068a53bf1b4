#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs bench_gate under callgrind and bench_link on one processor, and makes a table of them.

  bench_gate.py GATE LINK FOLDER     the table on standard output, FOLDER/gate.json and FOLDER/gate.txt

Instructions are those of the workstation's processor, so only their ratios mean anything elsewhere; chance is seeded, so they are
the same in every run. Ends with 1 if a goal is missed:
  a call, both chips together, takes at most 1.5 times the instructions of the CCM of its two messages;
  a signature of the card takes at most 1.1 times the instructions of the provider's, encoding included, and one STATUS call; the check of
  it before it leaves, which is in RSA the provider's own, is taken out of P-256 and reported apart;
  VERIFY costs two page programs if the PIN is right and one if it is wrong, and leaves at most one mark.
Wall time has a goal that is only reported: with a process for each chip a call takes at most the time that it takes with one, and
1.2 times that of bare frames of the same lengths to and fro.
"""
import json
import os
import pathlib
import subprocess
import sys

from bench_fs import instructions

CALLS = ("STATUS", "ACCESS, always", "ACCESS, PIN 1")
SIGNATURES = ("P-256", "RSA-2048")
CHECKED_BY_CORE = ("P-256",)
PAGE_PROGRAMS = {"VERIFY, right": 2, "VERIFY, wrong": 1, "VERIFY, right after wrong": 2}
CALL_RATIO, SIGNATURE_RATIO, LINK_RATIO, FRAMES = 1.5, 1.1, 1.0, 1.2


def run(command, **options):
    """The fields of the lines that a program prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"bench-gate: {' '.join(command)}: {done.returncode}: {done.stderr[-2000:]}")
    return [line.split("|") for line in done.stdout.splitlines()]


def count(program, folder):
    """Instructions by title, and page programs, erases and marks by command."""
    for old in folder.glob("callgrind.out.*"):
        old.unlink()
    lines = run(["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/callgrind.out.x",
                 program])
    return instructions(folder), {name: [int(field) for field in fields] for name, *fields in lines}


def clock(program, folder):
    """Nanoseconds by kind, all processes on one processor."""
    for card in ("single", "pair"):
        (folder / card).mkdir(parents=True, exist_ok=True)
    one = {max(os.sched_getaffinity(0))}
    lines = run([program, str(folder)], preexec_fn=lambda: os.sched_setaffinity(0, one))
    return {name: int(time) for name, time in lines}


def ratio(name, part, whole, goal):
    """A figure that is a ratio: what was measured, what it is held against, how much it may be."""
    return {"name": name, "measured": part, "against": whole, "ratio": round(part / whole, 4), "goal": goal}


def figures(counted, times):
    """The ratios; the last two are only reported."""
    for name in CALLS:
        yield ratio(f"call: {name}", counted[name], counted[f"CCM of {name}"], CALL_RATIO)
    for name in SIGNATURES:
        check = counted[f"check {name}"] if name in CHECKED_BY_CORE else 0
        yield ratio(f"signature: {name}", counted[f"card {name}"] - check, counted[f"provider {name}"] + counted["STATUS"],
                    SIGNATURE_RATIO)
    for name in SIGNATURES:
        yield ratio(f"{name}: check of the signature, part", counted[f"check {name}"], counted[f"provider {name}"], None)
    yield ratio("two processes, ns", times["two processes"], round(times["one process"] + FRAMES * times["bare"]), None)


def missed(ratios, writes):
    """The goals that are missed."""
    for figure in ratios:
        if figure["goal"] is not None and figure["measured"] > figure["goal"] * figure["against"]:
            yield f"{figure['name']}: {figure['ratio']:.3f}, goal {figure['goal']}"
    for name, expected in PAGE_PROGRAMS.items():
        pages, _, marks = writes[name]
        if pages != expected or marks > 1:
            yield f"{name}: {pages} page programs, {marks} marks"


def main():
    gate, link, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    counted, writes = count(gate, folder)
    times = clock(link, folder)
    ratios = list(figures(counted, times))
    lines = [f"{'figure':40} {'measured':>12} {'against':>12} {'ratio':>7} {'goal':>5}"]
    lines += [f"{row['name']:40} {row['measured']:12,} {row['against']:12,} {row['ratio']:7.3f} {row['goal'] or '-':>5}"
              for row in ratios]
    lines += ["", f"{'command':40} {'page':>5} {'erases':>6} {'marks':>5}"]
    lines += [f"{name:40} {pages:5} {erases:6} {marks:5}" for name, (pages, erases, marks) in writes.items()]
    text = "\n".join(lines)
    print(text)
    (folder / "gate.txt").write_text(text + "\n")
    (folder / "gate.json").write_text(json.dumps({"ratios": ratios, "verify": writes, "nanoseconds": times}, indent=1) + "\n")
    problems = list(missed(ratios, writes))
    for problem in problems:
        print("MISSED", problem)
    print(f"    a process for each chip: {ratios[-1]['ratio']:.2f} of one process and {FRAMES} bare frames to and fro"
          f" (goal {LINK_RATIO:.2f}, reported only)")
    print(f"bench-gate: {len(ratios) + len(writes)} figures, {len(problems)} goals missed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
