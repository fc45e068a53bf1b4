#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes seeds for the fuzz targets: seeds.py FROM FOLDER. Each line of FROM is one input in hexadecimal; [ ... ] is
the length of what stands in it (a byte), and then that; # begins a comment, NAME = ... a word for what follows."""
import pathlib
import sys


def encode(words):
    """The bytes of some words, with a length before each bracket."""
    open_brackets = [b""]
    for word in words:
        if word == "[":
            open_brackets.append(b"")
        elif word == "]":
            inside = open_brackets.pop()
            open_brackets[-1] += bytes([len(inside)]) + inside
        else:
            open_brackets[-1] += bytes.fromhex(word)
    (data,) = open_brackets
    return data


def expand(words, names):
    """The words, with names put in."""
    return [each for word in words for each in names.get(word, [word])]


def main():
    source, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    names, count = {}, 0
    for line in source.read_text().splitlines():
        words = line.split("#")[0].replace("[", " [ ").replace("]", " ] ").split()
        if len(words) > 2 and words[1] == "=":
            names[words[0]] = expand(words[2:], names)
        elif words:
            (folder / f"seed-{count:03}").write_bytes(encode(expand(words, names)))
            count += 1


main()
