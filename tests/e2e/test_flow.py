"""After login: every octet arrives, in order, once; memory stays bounded; each end ends as it should."""

import hashlib
import os
import ssl
import threading
import time
import unittest

from rig.case import USERS, Case, message
from rig.dovecot import Dovecot
from rig.fake_store import hanging, imap, pop3
from rig.ground import wait_for
from rig.postern import is_sanitized, pool

PASSWORD = "flow-secret-8"
MIB = 1024 * 1024
SIZE = (32 if is_sanitized() else int(os.environ.get("POSTERN_TEST_MIB", "200"))) * MIB


def block(seed):
    return hashlib.shake_256(str(seed).encode()).digest(MIB)


class Octets(Case):
    secrets = [PASSWORD]

    def store(self, after_login=None):
        return self.fake({143: imap(after_login=after_login), 110: pop3(after_login=after_login)})

    def test_a_large_message_arrives_whole_also_several_at_a_time(self):
        blocks = [block(seed) for seed in range(4)]

        def sending(wire):
            tag = wire.line().split(" ")[0]
            wire.send(f"* 1 FETCH (BODY[] {{{SIZE}}}\r\n")
            for number in range(SIZE // MIB):
                wire.send(blocks[number % 4])
            wire.send_lines(")", f"{tag} OK done")

        due = hashlib.sha256()
        for number in range(SIZE // MIB):
            due.update(blocks[number % 4])
        postern = self.start(self.store(sending))
        results = []

        def fetch():
            wire = self.login(postern, "anna", PASSWORD)
            wire.socket.settimeout(120)
            wire.send_lines("f FETCH 1 BODY[]")
            self.assertTrue(wire.line().endswith(f"{{{SIZE}}}"))
            digest, left = hashlib.sha256(), SIZE
            while left:
                data = wire.octets(min(left, 65536))
                if not data:
                    break
                wire.received = b""
                digest.update(data)
                left -= len(data)
            wire.lines_until("f OK")
            results.append((left, digest.digest()))

        readers = [threading.Thread(target=fetch) for _ in range(2)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(300)
        self.assertEqual(results, [(0, due.digest())] * 2)

    def test_an_upload_arrives_whole(self):
        digest, done = hashlib.sha256(), threading.Event()

        def receiving(wire):
            wire.line()
            wire.send("+ go on\r\n")
            left = SIZE
            while left:
                data = wire.octets(min(left, 65536))
                if not data:
                    return
                wire.received = b""
                digest.update(data)
                left -= len(data)
            done.set()
            wire.send_lines("u OK stored")
            wire.store.hang()

        postern = self.start(self.store(receiving))
        wire = self.login(postern, "anna", PASSWORD)
        wire.socket.settimeout(120)
        wire.send_lines(f"u APPEND INBOX {{{SIZE}}}")
        self.assertTrue(wire.line().startswith("+"))
        due, part = hashlib.sha256(), block(9)
        for _ in range(SIZE // MIB):
            wire.send(part)
            due.update(part)
        self.assertEqual(wire.line(), "u OK stored")
        self.assertEqual(digest.digest(), due.digest())

    @unittest.skipIf(is_sanitized(), "memory figures of a sanitizer mean nothing")
    def test_a_slow_reader_costs_a_bounded_buffer(self):
        sent = []

        def flooding(wire):
            wire.line()
            part = block(1)
            for _ in range(1024):
                wire.send(part)
                sent.append(len(part))

        postern = self.start(self.store(flooding))
        for number in range(5):
            self.login(postern, f"warm{number}", PASSWORD).close()
        before = int(postern.status("VmRSS"))
        readers = [self.login(postern, "anna", PASSWORD) for _ in range(8)]
        for reader in readers:
            reader.send_lines("f FETCH 1 BODY[]")
        seen = -1
        while seen != sum(sent):  # until the stores are held up
            seen = sum(sent)
            time.sleep(0.5)
        self.assertLess(seen, 8 * 1024 * MIB // 2)
        grown = int(postern.status("VmRSS")) - before
        self.assertLess(grown, 8 * 1024, "kB for eight sessions whose client does not read")
        wait_for(lambda: 0 < postern.metric("postern_buffered_bytes") < 8 * 1024 * 1024, what="the count of what waits")

    @unittest.skipIf(is_sanitized(), "memory figures of a sanitizer mean nothing")
    def test_a_store_that_does_not_read_costs_a_bounded_buffer(self):
        postern = self.start(self.store(hanging))
        for number in range(5):
            self.login(postern, f"warm{number}", PASSWORD).close()
        before = int(postern.status("VmRSS"))
        wire = self.login(postern, "anna", PASSWORD)
        wire.socket.settimeout(1)
        part, count = block(2), 0
        with self.assertRaises(TimeoutError):
            while count < 100:
                wire.send(part)
                count += 1
        self.assertLess(int(postern.status("VmRSS")) - before, 3 * 1024)

    def test_commands_behind_the_login_reach_the_store_exactly_once(self):
        store = self.store()
        postern = self.start(store)
        wire = self.connect(postern)
        wire.send(f"a LOGIN anna {PASSWORD}\r\nb XFIRST\r\nc XSECOND\r\nd LOGOUT\r\n")
        lines = wire.lines_until("d OK")
        self.assertEqual([line.split(" ")[0] for line in lines], ["a", "b", "c", "*", "d"])
        self.assertTrue(wire.closed())
        for verb in (b"b XFIRST", b"c XSECOND", b"d LOGOUT"):
            self.assertEqual(sum(each.received.count(verb) for each in store.connections), 1)
        wire = self.connect(postern, 995)
        wire.send(f"USER anna\r\nPASS {PASSWORD}\r\nXFIRST\r\nQUIT\r\n")
        self.assertTrue(wire.line().startswith("+OK"))
        self.assertEqual([wire.line() for _ in range(3)], ["+OK Logged in.", "+OK XFIRST", "+OK bye"])
        self.assertEqual(sum(each.received.count(b"XFIRST") for each in store.connections), 2)

    def test_octets_of_every_value_pass_in_single_writes(self):
        def echoing(wire):
            while data := wire.socket.recv(65536):
                wire.send(data)

        postern = self.start(self.store(echoing))
        wire = self.login(postern, "anna", PASSWORD)
        octets = bytes(range(256))
        wire.drip(octets)
        self.assertEqual(wire.octets(256), octets)


class Ends(Case):
    secrets = [PASSWORD]

    def run_with(self, after_login, **changes):
        self.store = self.fake({143: imap(after_login=after_login)})
        self.postern = self.start(self.store, changes or None)
        return self.login(self.postern, "anna", PASSWORD)

    def ended_cleanly(self, wire):
        wire.socket.suppress_ragged_eofs = False
        try:
            return wire.socket.recv(1) == b""
        except (ssl.SSLError, ConnectionResetError):
            return False

    def test_the_stores_last_words_arrive(self):
        wire = self.run_with(lambda wire: wire.send("* BYE going down for maintenance\r\n"))
        self.assertEqual(wire.line(), "* BYE going down for maintenance")
        self.assertTrue(self.ended_cleanly(wire))

    def test_a_store_that_breaks_off_in_a_literal_is_not_made_to_look_whole(self):
        def breaking(wire):
            wire.line()
            wire.send("* 1 FETCH (BODY[] {1000000}\r\n" + "x" * 1000)
            cut.wait(10)
            wire.reset()

        cut = threading.Event()
        wire = self.run_with(breaking)
        wire.send_lines("f FETCH 1 BODY[]")
        self.assertTrue(wire.line().endswith("{1000000}"))
        self.assertEqual(wire.octets(1000), b"x" * 1000)
        cut.set()
        self.assertFalse(self.ended_cleanly(wire), "a reset is no orderly end")
        self.assertNotIn(b"BYE", wire.received)

    def test_what_the_client_sent_before_it_closed_reaches_the_store(self):
        got, done = [], threading.Event()

        def collecting(wire):
            got.append(wire.rest())
            done.set()

        wire = self.run_with(collecting)
        wire.send(b"last words of the client\r\n")
        wire.close()
        self.assertTrue(done.wait(10))
        self.assertEqual(got, [b"last words of the client\r\n"])

    def test_the_other_side_is_closed_within_a_second_of_a_reset(self):
        closed = threading.Event()

        def waiting(wire):
            wire.rest()
            closed.set()

        wire = self.run_with(waiting)
        began = time.monotonic()
        wire.reset()
        self.assertTrue(closed.wait(5))
        self.assertLess(time.monotonic() - began, 1.5)
        wait_for(lambda: self.postern.metric("postern_sessions") == 0, what="no sessions")

    def test_silence_of_both_ends_the_session(self):
        wire = self.run_with(hanging, limits={"idle": "1s"})
        self.assertEqual(wire.line(), "* BYE Idle for too long.")

    def test_a_client_may_vanish_at_any_point_and_leaves_nothing(self):
        def phases(postern):
            yield "before TLS", lambda: self.connect_clear(postern)
            yield "greeted", lambda: self.connect(postern)
            yield "half a command", lambda: self.half(postern, "a LOG")
            yield "in a literal", lambda: self.half(postern, "a LOGIN {10+}\r\nan")
            yield "in AUTHENTICATE", lambda: self.half(postern, "a AUTHENTICATE PLAIN\r\n")
            yield "waiting for the store", lambda: self.half(postern, f"a LOGIN mute {PASSWORD}\r\n")
            yield "logged in", lambda: self.login(postern, "anna", PASSWORD)

        good, mute = self.fake({143: imap()}, name="good"), self.fake({143: hanging}, name="mute")
        checks = {"health": {"check": "connect"}}
        postern = self.start({"good": pool(good, **checks), "mute": pool(mute, **checks)},
                             {"route": [{"user": "mute", "pool": "mute"}, {"user": "*", "pool": "good"}]})
        self.login(postern, "anna", PASSWORD).close()
        wait_for(lambda: postern.metric("postern_sessions") == 0, what="no sessions at first")
        before = postern.open_descriptors()
        for name, reach in phases(postern):
            for way in ("close", "reset"):
                with self.subTest(name, way=way):
                    getattr(reach(), way)()
                    wait_for(lambda: postern.metric("postern_sessions") == 0, what="the session's end")
        wait_for(lambda: postern.open_descriptors() <= before + 2, what="closed descriptors")
        self.login(postern, "anna", PASSWORD)

    def half(self, postern, text):
        wire = self.connect(postern)
        wire.send(text)
        return wire


class RealStore(Case):
    def test_a_large_message_from_dovecot_has_the_right_checksum(self):
        store = Dovecot(self.ground, USERS)
        body = ("0123456789abcdef" * 4 + "\r\n") * (16 * 1024 if is_sanitized() else 128 * 1024)
        store.deliver("anna", message("large", body))
        postern = self.start(store)
        wire = self.login(postern, "anna", USERS["anna"])
        wire.ask("b SELECT INBOX")
        wire.send_lines("c FETCH 1 BODY[TEXT]")
        size = int(wire.line().rsplit("{", 1)[1].rstrip("}"))
        self.assertEqual(hashlib.sha256(wire.octets(size)).digest(), hashlib.sha256(body.encode()).digest())
        wire = self.login_pop3(postern, "anna", USERS["anna"])
        wire.send_lines("RETR 1")
        text = "\r\n".join(wire.lines_until("."))
        self.assertIn(body.rstrip("\r\n"), text)


if __name__ == "__main__":
    unittest.main()
