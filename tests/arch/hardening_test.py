"""The released program is hardened: what the flags of the release preset promise, seen in the file itself."""

import os
import subprocess
import unittest

PROGRAM = os.environ["POSTERN_BINARY"]


def readelf(option):
    return subprocess.run(["readelf", "--wide", option, PROGRAM], capture_output=True, text=True, check=True).stdout


class Hardening(unittest.TestCase):
    def test_it_is_position_independent(self):
        self.assertIn("DYN (Position-Independent Executable file)", readelf("--file-header"))

    def test_relocations_are_read_only_after_start(self):
        self.assertIn("GNU_RELRO", readelf("--program-headers"))
        self.assertRegex(readelf("--dynamic"), r"FLAGS.*NOW")

    def test_the_stack_is_not_executable(self):
        stack = [line for line in readelf("--program-headers").splitlines() if "GNU_STACK" in line]
        self.assertEqual(len(stack), 1)
        self.assertIn(" RW ", stack[0])

    def test_stack_and_library_calls_are_guarded(self):
        symbols = readelf("--dyn-syms")
        self.assertIn("__stack_chk_fail", symbols)
        self.assertRegex(symbols, r"__\w+_chk@")

    def test_no_openssl_is_named(self):
        self.assertNotRegex(readelf("--dynamic"), r"lib(ssl|crypto)\.so\.[13]")


if __name__ == "__main__":
    unittest.main()
