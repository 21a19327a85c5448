#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the C sources to their structure: who may include what, and what no file may do.

``layers.py BUILD`` checks the sources, and BUILD/compile_commands.json for the flags. Then every check is
shown to be able to fail: on a copy of the sources with one fault planted, it must complain.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
MAX_FUNCTION = 80

# A room's arrows; it may use every room that it reaches.
ARROWS: dict[str, list[str]] = {
    "util": [],
    "bundle": ["util"],
    "engine": ["bundle"],
    "wire": ["engine"],
    "source": ["util"],
    "model": ["engine", "wire", "source"],
    "store": ["source"],
    "registry": ["model", "store"],
    "http": ["registry"],
    "cli": ["http", "store"],
}

# The room whose contract a header of include/scored is.
HEADERS: dict[str, str] = {
    "util": "arena base64 buf calendar cgroup clock config crypto decimal dict distance ed25519 err fault file hash hex json log number problem scratch stamp "
    "type utf8 version",
    "bundle": "bounds bundle signature",
    "engine": "blas fastmath frame java jmath ops plan value",
    "wire": "scoring",
    "source": "source",
    "model": "candidate model watch",
    "store": "doctor post store",
    "registry": "registry",
    "http": "health sandbox server",
}
ROOM_OF = {f"{name}.h": room for room, names in HEADERS.items() for name in names.split()}

# Libraries are seen by the files named here and by no other.
LIBRARIES: dict[str, list[str]] = {
    r"cjson/|cJSON": ["util/json.c"],
    r"openssl/": ["util/crypto.c", "util/crypto_ed25519.c", "util/crypto_priv.h", "http/tls.c", "http/tls_client.c", "http/tls_context.c", "http/tls_session.c"],
    r"microhttpd": ["http/library.c", "http/headers.c"],
    r"curl/": ["store/transport.c"],
    r"pcre2": ["engine/text/regex.c"],
    r"zlib": ["http/gzip.c"],
    r"zstd\.h|zstd_errors": ["http/zstd.c"],
    r"seccomp": ["http/sandbox.c", "http/sandbox/main.c"],
}

BANNED = "strcpy stpcpy strcat strncat sprintf vsprintf strtok atoi atol atof sscanf gets setlocale alloca"

# (file, what is found there) -> why it stands. Both are matched whole.
EXCEPTIONS: dict[tuple[str, str], str] = {
    (
        "src/engine/jmath_fdlibm.c",
        "a double, per_ln2, is cast to an integer",
    ): "the branches before it bound |x|, so that |k| is at most 1025",
    (
        "src/engine/jmath_fdlibm.c",
        "a double, high, is cast to an integer",
    ): "an uint32_t has the name there",
    (
        "src/engine/ops/vector_slicer.c",
        "a double, x->values, is cast to an integer",
    ): "they are uint32_t there",
}

# Where doubles are cast to integers, after a look; all else calls j_d2i or j_d2l.
CASTS_ALLOWED = {"include/scored/java.h"}


@dataclass(frozen=True)
class Tree:
    """Sources to check, and the compile commands they were built with."""

    top: Path
    commands: list[dict[str, str]]

    def files(self, *suffixes: str) -> Iterator[tuple[str, str]]:
        """Yield (path from the top, text) of the sources and contracts."""
        for folder in ("src", "include"):
            for path in sorted((self.top / folder).rglob("*")):
                if path.suffix in suffixes:
                    yield str(path.relative_to(self.top)), path.read_text()


def code(text: str) -> str:
    """Return the text without comments and the insides of strings, lines kept."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(match: re.Match[str]) -> str:
        found = match.group()
        return '""' if found[0] in "\"'" else " " + "\n" * found.count("\n")

    return pattern.sub(blank, text)


def reach(room: str) -> set[str]:
    """Return the rooms that a room may use, itself included."""
    return {room}.union(*(reach(other) for other in ARROWS[room]))


def room_of(path: str) -> str | None:
    """Return the room of a file, or None."""
    parts = Path(path).parts
    return parts[1] if parts[0] == "src" else ROOM_OF.get(parts[-1])


def includes(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield (line, name, whether in angle brackets) of every #include."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
        if match:
            yield number, match[1] or match[2], match[2] is not None


# -- checks: each yields "file:line: complaint"


def check_headers(tree: Tree) -> Iterator[str]:
    """Every contract belongs to a room, and every room exists."""
    for path in sorted((tree.top / "include" / "scored").glob("*.h")):
        if path.name not in ROOM_OF:
            yield f"include/scored/{path.name}:1: belongs to no room"
    for folder in sorted({path.relative_to(tree.top / "src").parts[0] for path in (tree.top / "src").rglob("*/*.[ch]")}):
        if folder not in ARROWS:
            yield f"src/{folder}:1: is not a room"


def check_includes(tree: Tree) -> Iterator[str]:
    """A room includes contracts of rooms that it reaches, and private headers of its own."""
    for path, text in tree.files(".c", ".h", ".def"):
        room = room_of(path)
        if room is None:
            continue
        for line, name, angled in includes(text):
            if angled:
                continue
            if name.startswith("scored/"):
                other = ROOM_OF.get(name.removeprefix("scored/"))
                if other not in reach(room):
                    yield f"{path}:{line}: {room} may not include {name} of {other}"
                continue
            target = (tree.top / path).parent / name
            if name.endswith(".def") and target.resolve().parent == (tree.top / "src/util").resolve():
                continue  # the table of settings, which config.h expands for everyone
            private = (tree.top / "src" / room).resolve()
            if private not in target.resolve().parents:
                yield f"{path}:{line}: {name} is private to another room"


def check_libraries(tree: Tree) -> Iterator[str]:
    """Foreign libraries stay in the files that wrap them."""
    for path, text in tree.files(".c", ".h"):
        for line, name, _ in includes(text):
            for pattern, allowed in LIBRARIES.items():
                if re.search(pattern, name) and path.removeprefix("src/") not in allowed:
                    yield f"{path}:{line}: {name} belongs in {' and '.join(allowed) or 'no file yet'}"


def check_banned(tree: Tree) -> Iterator[str]:
    """Functions that overflow, depend on the locale or swallow errors."""
    pattern = re.compile(rf"(?<![\w.>])({'|'.join(BANNED.split())})\s*\(")
    for path, text in tree.files(".c", ".h"):
        for number, line in enumerate(code(text).splitlines(), 1):
            for match in pattern.finditer(line):
                yield f"{path}:{number}: {match[1]} is banned"


def check_casts(tree: Tree) -> Iterator[str]:
    """No plain cast of a double to an integer in the engine: Java saturates, C has no answer.

    By the names that are declared double or float in the file or a header it sees; so a heuristic.
    """
    declared = re.compile(r"\b(?:double|float)\s+(?:\*\s*(?:const\s+)?)?(\w+)\s*(?=[;,=)\[])")
    common = {name for path, text in tree.files(".h") for name in declared.findall(code(text))}
    integer = r"\((?:unsigned|unsigned int|int|long|long long|size_t|u?int(?:8|16|32|64)_t)\)"
    for path, text in tree.files(".c", ".h"):
        if not path.startswith("src/engine/") or path in CASTS_ALLOWED:
            continue
        names = set(declared.findall(code(text)))
        fields = names | common
        cast = re.compile(rf"{integer}\s*\(?\s*((?:\w+(?:\[[^\]]*\])?(?:\.|->))*)(\w+)")
        for number, line in enumerate(code(text).splitlines(), 1):
            for match in cast.finditer(line):
                known = fields if match[1] else names
                rest = line[match.end() :].lstrip()
                if match[2] in known and not rest.startswith(("(", "->", ".")):
                    yield f"{path}:{number}: a double, {match[1]}{match[2]}, is cast to an integer"
                if match[2] in ("floor", "ceil", "rint", "trunc", "round", "exp", "log", "pow"):
                    yield f"{path}:{number}: a double, {match[2]}(), is cast to an integer"


def check_functions(tree: Tree) -> Iterator[str]:
    """No function is longer than a screen or two."""
    for path, text in tree.files(".c", ".h"):
        start = 0
        for number, line in enumerate(text.splitlines(), 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                if number - start - 1 > MAX_FUNCTION:
                    yield f"{path}:{start}: a function of {number - start - 1} lines"
                start = 0


def check_flags(tree: Tree) -> Iterator[str]:
    """The engine is compiled so that every operation is rounded as written."""
    found = 0
    for entry in tree.commands:
        if "/src/engine/" not in entry["file"]:
            continue
        found += 1
        flags = entry["command"].split()
        name = entry["file"].split("/src/", 1)[1]
        if "-ffp-contract=off" not in flags:
            yield f"src/{name}:1: compiled without -ffp-contract=off"
        for flag in flags:
            if re.match(r"-(ffast|funsafe|fassociative|freciprocal)-math|-Ofast|-flto", flag):
                yield f"src/{name}:1: compiled with {flag}"
    if not found:
        yield "compile_commands.json:1: names no file of the engine"


def check_alone(tree: Tree) -> Iterator[str]:
    """Every contract includes what it needs."""
    headers = sorted((tree.top / "include" / "scored").glob("*.h"))

    def compile_header(path: Path) -> str:
        command = ["cc", "-std=c17", "-D_GNU_SOURCE", "-fsyntax-only", "-x", "c", "-"]
        source = f'#include "scored/{path.name}"\n#include "scored/{path.name}"\n'
        command += ["-I", str(tree.top / "include")]
        done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
        return done.stderr.splitlines()[0] if done.returncode and done.stderr else ""

    with ThreadPoolExecutor(2) as pool:
        for path, complaint in zip(headers, pool.map(compile_header, headers)):
            if complaint:
                yield f"include/scored/{path.name}:1: does not compile alone: {complaint}"


CHECKS: list[Callable[[Tree], Iterator[str]]] = [
    check_headers,
    check_includes,
    check_libraries,
    check_banned,
    check_casts,
    check_functions,
    check_flags,
    check_alone,
]


def complaints(check: Callable[[Tree], Iterator[str]], tree: Tree) -> list[str]:
    """Return what a check complains of, without the exceptions."""
    found = []
    for complaint in check(tree):
        place, what = complaint.split(": ", 1)
        if (place.rsplit(":", 1)[0], what) not in EXCEPTIONS:
            found.append(complaint)
    return found


def unused_exceptions(tree: Tree) -> list[str]:
    """Return the exceptions that nothing needs any more."""
    seen = set()
    for check in CHECKS:
        for complaint in check(tree):
            place, what = complaint.split(": ", 1)
            seen.add((place.rsplit(":", 1)[0], what))
    unused = [key for key in EXCEPTIONS if key not in seen]
    return [f"{path}: no longer needs the exception: {what}" for path, what in unused]


# -- faults: check, file, what is appended to it

LONG = "\nstatic void planted(void)\n{\n" + "    ;\n" * (MAX_FUNCTION + 1) + "}\n"
FAULTS = [
    (check_headers, "include/scored/planted.h", "\n"),
    (check_headers, "src/planted/planted.c", "\n"),
    (check_includes, "src/util/buf.c", '#include "scored/plan.h"\n'),
    (check_includes, "src/engine/plan.c", '#include "scored/source.h"\n'),
    (check_includes, "src/model/model.c", '#include "scored/store.h"\n'),
    (check_includes, "src/model/model.c", '#include "scored/registry.h"\n'),
    (check_includes, "src/engine/plan.c", '#include "../bundle/bundle_priv.h"\n'),
    (check_includes, "include/scored/bundle.h", '#include "scored/frame.h"\n'),
    (check_libraries, "src/bundle/manifest.c", "#include <cjson/cJSON.h>\n"),
    (check_libraries, "src/bundle/bundle.c", "#include <openssl/evp.h>\n"),
    (check_libraries, "src/http/routes.c", "#include <microhttpd.h>\n"),
    (check_libraries, "src/source/file.c", "#include <curl/curl.h>\n"),
    (check_banned, "src/util/buf.c", "static void planted(char *p)\n{\n    strcpy(p, p);\n}\n"),
    (check_casts, "src/engine/frame.c", "static int planted(double x)\n{\n    return (int)x;\n}\n"),
    (
        check_casts,
        "src/engine/plan.c",
        "static int planted(struct vec *v)\n{\n    return (int)v->values[0];\n}\n",
    ),
    (check_functions, "src/util/buf.c", LONG),
    (check_alone, "include/scored/type.h", "struct planted {\n    struct nowhere x;\n};\n"),
]
FLAG_FAULTS = ["-ffp-contract=fast", "-ffp-contract=off -ffast-math", "-ffp-contract=off -flto"]


def missed_faults(tree: Tree) -> Iterator[str]:
    """Yield the planted faults that were not found."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Tree(Path(temporary), tree.commands)
        for folder in ("src", "include"):
            shutil.copytree(tree.top / folder, copy.top / folder)
        for check, name, fault in FAULTS:
            path = copy.top / name
            before = path.read_text() if path.exists() else None
            path.parent.mkdir(exist_ok=True)
            path.write_text((before or "") + fault)
            place = name.removesuffix("/planted.c")
            if not any(complaint.startswith(place) for complaint in complaints(check, copy)):
                yield f"{check.__name__} does not see {fault.strip()!r} in {name}"
            if before is not None:
                path.write_text(before)
            else:
                path.unlink()
                if path.parent.name == "planted":
                    path.parent.rmdir()
    for new in FLAG_FAULTS:
        commands = [
            {**entry, "command": entry["command"].replace("-ffp-contract=off", new)}
            for entry in tree.commands
        ]
        if not complaints(check_flags, Tree(tree.top, commands)):
            yield f"check_flags does not see {new}"


def main() -> int:
    """Run every check, then prove each on planted faults."""
    if len(sys.argv) != 2:
        print("usage: layers.py BUILD", file=sys.stderr)
        return 2
    tree = Tree(TOP, json.loads((Path(sys.argv[1]) / "compile_commands.json").read_text()))
    failed = 0
    for check in CHECKS:
        found = complaints(check, tree)
        failed += bool(found)
        for complaint in found:
            print(complaint)
    missed = [*missed_faults(tree), *unused_exceptions(tree)]
    for complaint in missed:
        print(complaint)
    n = len(CHECKS) + len(FAULTS) + len(FLAG_FAULTS)
    failed += len(missed)
    print(f"{n - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
