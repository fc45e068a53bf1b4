# SPDX-License-Identifier: Apache-2.0
"""The worst stack of each entry point: frames and calls from gcc's call graph files (.ci), checked
against the relocations, with every indirect call explained by a rule below."""
import re

from objects import plain_name

PORT, TRACE, PROVIDER = "the port", "the tracer", "the crypto provider"
HANDLER = "the handler of commands"

# Members of the structs of functions that a firmware hands in. What stands behind them is not ours
# to measure: it counts as 0 and is named as a leaf.
LEAVES = {
    **{name: PORT for name in ("read", "program", "erase", "send", "receive", "test", "idle",
                               "clock_ms", "set", "elapsed")},
    **{name: HANDLER for name in ("command", "direction", "settle", "refused")},
    **{name: PROVIDER for name in ("aes_encrypt", "aes_decrypt", "aes_cbc_encrypt",
                                   "aes_cbc_decrypt", "aes_cmac", "aes_ccm_seal", "aes_ccm_open",
                                   "des3_encrypt", "des3_decrypt", "hash", "hash_resume", "hmac",
                                   "rsa_public", "rsa_private", "rsa_check", "rsa_generate", "rsa_complete",
                                   "ec_generate", "ec_public", "ec_sign", "ec_verify",
                                   "ec_agree", "ec_check", "draw",
                                   "apply")},
    "call": TRACE,
}

# Tables of functions inside the core: (file of the call, name called) -> file whose functions stand
# in the table. Any function of that table may be the one.
TABLES = {
    ("src/app_domain/dispatch.c", "handler"): "src/app_domain/commands.c",
    ("src/secure_domain/serve.c", "handler"): "src/secure_domain/serve.c",
    ("src/secure_domain/crypt.c", "run"): "src/secure_domain/crypt.c",
    ("src/crypto/self_test.c", "run"): "src/crypto/self_test.c",
    ("src/crypto/self_test_optional.c", "run"): "src/crypto/self_test_optional.c",
    ("src/fs/rule.c", "holds"): "src/secure_domain/status.c",
}

NODE = re.compile(r'^node: \{ title: "([^"]*)" label: "([^"]*)"')
EDGE = re.compile(r'^edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"(?: label: "([^"]*)")?')
FRAME = re.compile(r"^(\d+) bytes \(([^)]*)\)$")


class Graph:
    """Who calls whom on one chip, and with how large a frame. Functions are (name, source), global ones
    (name, None)."""

    def __init__(self, objects, helpers):
        self.helpers = helpers
        self.by_source = {one.source: one for one in objects}
        self.globals = {name for one in objects for name in one.defined}
        self.frames, self.callees, self.problems = {}, {}, []
        self.indirect = set()
        for one in objects:
            self._read(one)
        for one in objects:
            self._add_calls_of_relocations(one)
        self._check_leaves()
        self.known = {}
        for function in sorted(self.frames, key=str):
            self._worst(function, [])

    def key(self, name, one):
        """The function that a file means by a name: its own before another file's."""
        own = name in one.functions and name not in one.defined
        return (name, None) if name in self.globals and not own else (name, one.source)

    def _read(self, one):
        names = {}
        with open(one.path[:-2] + ".ci", encoding="utf-8") as file:
            lines = file.read().splitlines()
        for title, label in filter(None, (self._match(NODE, line) for line in lines)):
            name, *rest = label.split("\\n")
            names[title] = plain_name(name)
            function = self.key(names[title], one)
            for frame in filter(None, map(FRAME.match, rest)):
                self.frames[function] = max(int(frame[1]), self.frames.get(function, 0))
                if frame[2] != "static":
                    self.problems.append(f"{one.source}: {name}: the frame is {frame[2]}")
        for caller, callee, place in filter(None, (self._match(EDGE, line) for line in lines)):
            source = self.key(names[caller], one)
            for target in self._targets(callee, names, place, one):
                self.callees.setdefault(source, set()).add(target)
        for name in one.functions:
            if self.key(name, one) not in self.frames:
                self.problems.append(f"{one.source}: {name}: the compiler gives no frame size")

    @staticmethod
    def _match(pattern, line):
        found = pattern.match(line)
        return found.groups() if found else None

    def _targets(self, callee, names, place, one):
        if callee != "__indirect_call":
            return [self.key(names[callee], one)]
        path, line = place.split(":")[:2]
        statement = read_statement(path, int(line))
        targets, known = [], False
        for name in re.findall(r"(?:->|\.|\b)(\w+)\(", statement):
            if (path, name) in TABLES:
                known = True
                table = self.by_source.get(TABLES[(path, name)])  # None: the other chip has it
                targets += [self.key(taken, table) for taken in (table.addressed if table else ())
                            if taken in table.functions or taken in self.globals]
            elif name in LEAVES and re.search(rf"(?:->|\.){name}\(", statement):
                targets.append((f"{name} ({LEAVES[name]})", None))
        if not targets and not known:
            self.problems.append(f"{path}:{line}: an indirect call that tools/size/stack.py does "
                                 f"not know: {' '.join(statement.split())}")
        self.indirect.update(target for target in targets if "(" in target[0])
        return targets

    def _add_calls_of_relocations(self, one):
        """Calls that the compiler made up after it wrote the graph (struct copies, division)."""
        for caller, callees in one.calls.items():
            source = self.key(caller, one)
            for name in callees:
                if name in one.functions or name in one.undefined:
                    self.callees.setdefault(source, set()).add(self.key(name, one))

    def _check_leaves(self):
        called = {target for targets in self.callees.values() for target in targets}
        for name, source in sorted(called - self.frames.keys() - self.indirect, key=str):
            if name not in ("memcpy", "memset", "memcmp", "memmove") and name not in self.helpers:
                self.problems.append(f"{source or 'core'}: the frame of {name} is unknown")

    def worst(self, entry):
        """(bytes, path) from a global function down."""
        return self._worst((entry, None), [])

    def _worst(self, function, above):
        if function in self.known:
            return self.known[function]
        if function in above:
            cycle = above[above.index(function):] + [function]
            problem = "recursion: " + " > ".join(name for name, _ in cycle)
            if problem not in self.problems:
                self.problems.append(problem)
            return 0, []
        deepest = (0, [])
        for callee in sorted(self.callees.get(function, ()), key=str):
            deepest = max(deepest, self._worst(callee, above + [function]),
                          key=lambda found: found[0])
        own = self.frames.get(function, 0)
        self.known[function] = (own + deepest[0], [(function[0], own)] + deepest[1])
        return self.known[function]

    def leaves_below(self, entry):
        """What is called from outside the core, however deep."""
        seen, waiting = set(), [(entry, None)]
        while waiting:
            function = waiting.pop()
            if function not in seen:
                seen.add(function)
                waiting += self.callees.get(function, ())
        return sorted(name for name, _ in seen & self.indirect)


def read_statement(path, line):
    """The source text from a line to the end of its statement."""
    with open(path, encoding="utf-8") as file:
        rest = file.read().splitlines()[line - 1:]
    text = ""
    for one in rest:
        text += one + "\n"
        if re.search(r"[;{]\s*$", one):
            break
    return text
