"""Checks that the source tree has the shape that it is said to have, and that each rule sees a breach.

    arch_test.py [unittest arguments]
"""

import os
import sys
import unittest

import rules
import tree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def breaches(rule, files):
    return [(path, line) for path, line, _ in rule(files)]


class TheTree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = tree.read(ROOT)

    def test_is_there(self):
        for path in ("parsers/dialogue.h", "conf/model.h", "proxy/time.h", "tests/arch/arch_test.py"):
            self.assertIn(path, self.files)


def add_rule(rule):
    def test(self):
        found = [f"{path}:{line}: {what}" for path, line, what in rule(self.files)]
        self.assertFalse(found, "\n" + "\n".join(found))

    setattr(TheTree, "test_" + rule.__name__, test)


for each in rules.RULES:
    add_rule(each)


class TheRules(unittest.TestCase):
    """Each rule, on small trees: what it lets pass, and what it must see."""

    def test_include_directions(self):
        good = {
            "parsers/a.cc": '#include "parsers/a.h"\n#include <string>\n',
            "conf/a.cc": '#include "parsers/address.h"\n',
            "proxy/a.cc": '#include "proxy/net/loop.h"\n#include "conf/model.h"\n',
            "proxy/net/a.cc": '#include "parsers/secret.h"\n#include "proxy/time.h"\n',
            "tests/unit/net/a.cc": '#include "proxy/net/loop.h"\n',
        }
        self.assertEqual(breaches(rules.include_directions, good), [])
        for path, name in [
            ("parsers/a.cc", "conf/model.h"),
            ("parsers/imap/a.h", "proxy/time.h"),
            ("conf/a.cc", "parsers/secret.h"),
            ("conf/a.cc", "proxy/time.h"),
            ("proxy/a.cc", "tests/rig.h"),
            ("proxy/net/a.cc", "proxy/tls/stream.h"),
            ("proxy/net/a.cc", "conf/model.h"),
            ("proxy/tls/a.cc", "proxy/session.h"),
            ("proxy/route/a.cc", "conf/loader.h"),
        ]:
            with self.subTest(path=path, name=name):
                self.assertEqual(breaches(rules.include_directions, {path: f'\n#include "{name}"\n'}), [(path, 2)])

    def test_included_from_the_root(self):
        good = {"conf/a.h": "", "conf/a.cc": '#include "conf/a.h"\n'}
        self.assertEqual(breaches(rules.included_from_the_root, good), [])
        bad = {"conf/a.h": "", "conf/a.cc": '#include "a.h"\n#include "../conf/a.h"\n'}
        self.assertEqual(breaches(rules.included_from_the_root, bad), [("conf/a.cc", 1), ("conf/a.cc", 2)])

    def test_pure_parsers(self):
        good = {"parsers/a.cc": "#include <string>\n#include <arpa/inet.h>\n", "proxy/a.cc": "#include <uv.h>\n"}
        self.assertEqual(breaches(rules.pure_parsers, good), [])
        for name in ("uv.h", "sys/socket.h", "unistd.h", "spdlog/spdlog.h", "chrono", "thread", "iostream"):
            with self.subTest(name=name):
                bad = {"parsers/pop3/a.cc": f"#include <{name}>\n"}
                self.assertEqual(breaches(rules.pure_parsers, bad), [("parsers/pop3/a.cc", 1)])

    def test_libraries_in_their_place(self):
        good = {
            "proxy/net/a.cc": "uv_run(loop);\n",
            "proxy/tls/a.cc": "SSL_free(ssl);\n",
            "proxy/a.cc": '// uv_run\n/* SSL_free\nSSL_free */ const char* a = "uv_loop";\nchar b = \'"\'; int my_uv_x;  // SSL_\n',
            "conf/a.cc": "#include <toml++/toml.h>\n",
        }
        self.assertEqual(breaches(rules.libraries_in_their_place, good), [])
        bad = {
            "proxy/a.cc": "int x;\nuv_close(handle);\n",
            "conf/a.cc": "SSL_CTX* context;\n",
            "proxy/pool/a.cc": "#include <uv.h>\n",
            "parsers/a.cc": "/* a\nb */ SSL_free(ssl);\n",
        }
        self.assertEqual(
            breaches(rules.libraries_in_their_place, bad),
            [("proxy/a.cc", 2), ("conf/a.cc", 1), ("proxy/pool/a.cc", 1), ("parsers/a.cc", 2)])

    def test_captures_are_named(self):
        good = {"a.cc": "[this, x = y] { a[i] = b; }; // [=]\nif (a[=b]) {}\n"}
        self.assertEqual(breaches(rules.captures_are_named, good), [])
        bad = {"a.cc": "run([=] {});\nrun([=, this] {});\n"}
        self.assertEqual(breaches(rules.captures_are_named, bad), [("a.cc", 1), ("a.cc", 2)])

    def test_no_file_too_long(self):
        self.assertEqual(breaches(rules.no_file_too_long, {"a.cc": "\n" * 600, "a.md": "\n" * 601}), [])
        bad = {"a.cc": "\n" * 601, "a.py": "\n" * 601, "x/CMakeLists.txt": "\n" * 601}
        self.assertEqual(len(breaches(rules.no_file_too_long, bad)), 3)

    def test_half_of_the_files_are_short(self):
        short, long = "\n" * 149, "\n" * 400
        self.assertEqual(breaches(rules.half_of_the_files_are_short, {"a.cc": short, "b.h": short, "c.cc": long}), [])
        self.assertEqual(len(breaches(rules.half_of_the_files_are_short, {"a.cc": short, "b.h": long, "c.cc": long})), 1)

    def test_files_in_their_folders(self):
        good = {"CMakeLists.txt": "", "README.md": "", "parsers/a.cc": "", "tests/unit/a_test.cc": ""}
        self.assertEqual(breaches(rules.files_in_their_folders, good), [])
        bad = {"main.cc": "", "src/a.cc": "", "notes/a.md": "", "parsers/a.cpp": ""}
        self.assertEqual(len(breaches(rules.files_in_their_folders, bad)), 4)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
