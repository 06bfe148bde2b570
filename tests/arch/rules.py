"""The shape of the source tree, as rules over its files.

A rule gets every file as {path: text} and yields (path, line, what is wrong); line 0 means the file as a whole.
"""

import re
import statistics

CPP = (".cc", ".h")
CODE = CPP + (".c", ".cpp", ".cxx", ".hh", ".hpp", ".py", ".sh", ".cmake")
FOLDERS = {"parsers", "conf", "proxy", "deploy", "tests", "bench", "docs", ".github", ".ci"}
LONGEST = 600
USUAL = 150

# Who may include whom: the longest folder that fits a file decides. A name that ends in "/" is a folder with
# everything below it.
MAY_INCLUDE = {
    "parsers/": ["parsers/"],
    "conf/": ["conf/", "parsers/address.h", "parsers/credentials.h", "parsers/protocol.h"],
    "proxy/": ["proxy/", "conf/", "parsers/"],
    "proxy/files/": ["proxy/files/", "proxy/time.h", "parsers/"],
    "proxy/auth/": ["proxy/auth/", "proxy/files/", "proxy/link.h", "proxy/net/", "proxy/tls/", "proxy/time.h", "parsers/", "conf/model.h"],
    "proxy/net/": ["proxy/net/", "proxy/time.h", "parsers/"],
    "proxy/observe/": ["proxy/observe/", "proxy/time.h", "parsers/"],
    "proxy/pool/": ["proxy/pool/", "proxy/time.h", "parsers/", "conf/model.h"],
    "proxy/route/": ["proxy/route/", "proxy/files/", "proxy/link.h", "proxy/net/", "proxy/time.h", "parsers/", "conf/model.h"],
    "proxy/tls/": ["proxy/tls/", "proxy/time.h", "parsers/"],
    "bench/": ["bench/", "proxy/", "conf/", "parsers/", "tests/unit/tls/authority.h"],
    "tests/": ["tests/", "proxy/", "conf/", "parsers/"],
}

# The headers that are not C++'s own and that the parsers may use: they know no descriptor, clock or thread.
PARSERS_SYSTEM = {"arpa/inet.h", "netinet/in.h", "string.h"}
PARSERS_BANNED = {"chrono", "ctime", "thread", "mutex", "atomic", "iostream", "fstream", "cstdio", "filesystem"}

# A library's name stands in one place; tests may use what they test.
ONLY_IN = [
    (re.compile(r"\buv_"), "uv_", ["proxy/net/", "bench/", "tests/"]),
    (re.compile(r"\bSSL_"), "SSL_", ["proxy/tls/", "bench/", "tests/"]),
    (re.compile(r"#include <uv\.h>"), "libuv", ["proxy/net/", "bench/", "tests/"]),
    (re.compile(r"#include <openssl/ssl\.h>"), "TLS", ["proxy/tls/", "bench/", "tests/"]),
    (re.compile(r"#include <ares"), "c-ares", ["proxy/net/", "bench/", "tests/"]),
    (re.compile(r"#include <toml\+\+/"), "toml++", ["conf/", "bench/", "tests/"]),
    (re.compile(r"#include <prometheus/"), "prometheus-cpp", ["proxy/observe/", "bench/", "tests/"]),
    (re.compile(r"#include <civetweb"), "civetweb", ["proxy/observe/", "bench/", "tests/"]),
    (re.compile(r"#include <hiredis/"), "hiredis", ["proxy/route/", "tests/"]),
    (re.compile(r"#include <boost/"), "Boost.Beast", ["proxy/auth/", "tests/"]),
]

COPIES_ALL = re.compile(r"\[=[\],]")
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')
COMMENT_OR_TEXT = re.compile(r'''//[^\n]*|/\*.*?\*/|'(?:[^'\\\n]|\\.)'|"(?:[^"\\\n]|\\.)*"''', re.DOTALL)


def is_cpp(path):
    return path.endswith(CPP)


def without_comments(text):
    """The same lines without comments and string literals."""
    return COMMENT_OR_TEXT.sub(lambda match: "\n" * match.group().count("\n"), text).split("\n")


def includes(text):
    for number, line in enumerate(text.split("\n"), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def include_directions(files):
    for path, text in files.items():
        if not is_cpp(path):
            continue
        fitting = [folder for folder in MAY_INCLUDE if path.startswith(folder)]
        if not fitting:
            continue
        allowed = MAY_INCLUDE[max(fitting, key=len)]
        for number, own, _ in includes(text):
            if own is None or "/" not in own:  # the latter is included_from_the_root's
                continue
            if not any(own == name or (name.endswith("/") and own.startswith(name)) for name in allowed):
                yield path, number, f'may not include "{own}"'


def included_from_the_root(files):
    """A name that starts at the repository's root leads to a file of ours."""
    for path, text in files.items():
        if not is_cpp(path):
            continue
        for number, own, _ in includes(text):
            if own is not None and own not in files:
                yield path, number, f'"{own}" is no file of the tree; names start at its root'


def pure_parsers(files):
    for path, text in files.items():
        if not is_cpp(path) or not path.startswith("parsers/"):
            continue
        for number, _, system in includes(text):
            if system is None:
                continue
            if system in PARSERS_BANNED or (re.search(r"[./]", system) and system not in PARSERS_SYSTEM):
                yield path, number, f"parsers may not use <{system}>"


def libraries_in_their_place(files):
    for path, text in files.items():
        if not is_cpp(path):
            continue
        for number, line in enumerate(without_comments(text), 1):
            for pattern, name, folders in ONLY_IN:
                if pattern.search(line) and not path.startswith(tuple(folders)):
                    yield path, number, f"{name} belongs in {folders[0]}"


def captures_are_named(files):
    for path, text in files.items():
        if not is_cpp(path):
            continue
        for number, line in enumerate(without_comments(text), 1):
            if COPIES_ALL.search(line):
                yield path, number, "a lambda names what it captures"


def no_file_too_long(files):
    for path, text in files.items():
        lines = text.count("\n")
        if path.endswith(CODE + ("CMakeLists.txt",)) and lines > LONGEST:
            yield path, 0, f"has {lines} lines; {LONGEST} is the most"


def half_of_the_files_are_short(files):
    sizes = [text.count("\n") for path, text in files.items() if is_cpp(path)]
    if sizes and statistics.median(sizes) >= USUAL:
        yield "", 0, f"half of the .cc and .h files have {statistics.median(sizes):.0f} lines or more"


def files_in_their_folders(files):
    for path in files:
        top = path.split("/")[0]
        if "/" in path and top not in FOLDERS:
            yield path, 0, f"there is no folder {top}"
        if "/" not in path and path.endswith(CODE):
            yield path, 0, "code lives in a folder"
        if path.endswith((".cpp", ".cxx", ".hh", ".hpp")):
            yield path, 0, "C++ files end in .cc and .h"


RULES = [
    include_directions,
    included_from_the_root,
    pure_parsers,
    libraries_in_their_place,
    captures_are_named,
    no_file_too_long,
    half_of_the_files_are_short,
    files_in_their_folders,
]
