"""A policy service, asked as weakforced is: before a login, and told how it ended."""

import hashlib
import json
import time
import unittest

from rig.case import Case
from rig.fake_store import imap, pop3
from rig.ground import wait_for
from rig.http_service import MUTE, HttpService

PASSWORD = "policy-secret-1"
KEY = "policy-key-secret-2"
NONCE = "nonce-secret-3"
REFUSED = "NO [AUTHENTICATIONFAILED] Authentication failed."
UNAVAILABLE = "NO [UNAVAILABLE] Account is temporarily unavailable."
ASKED = {"login": str, "pwhash": str, "remote": str, "device_id": str, "protocol": str, "session_id": str,
         "tls": bool}
TOLD = {**ASKED, "fail_type": str, "success": bool, "policy_reject": bool}


class PolicyService(HttpService):
    """Says `status` to every question that is well-formed, 401 without the key, 400 to all else. `second` is for
    every other question, where it is not None."""

    def __init__(self, ground, status=0):
        super().__init__(ground, self._judge)
        self.status, self.second, self.key = status, None, KEY
        self.asked, self.told, self.wrong = [], [], []

    def _judge(self, request):
        kinds = {"POST /policy/?command=allow HTTP/1.1": (ASKED, self.asked),
                 "POST /policy/?command=report HTTP/1.1": (TOLD, self.told)}
        expected, found = kinds.get(request.line, (None, None))
        body = json.loads(request.body)
        if request["X-API-Key"] != self.key:
            self.wrong.append(request)
            return 401, {}, b""
        if (not expected or request["Content-Type"] != "application/json"
                or {name: type(value) for name, value in body.items()} != expected):
            self.wrong.append(request)
            return 400, {}, b""
        found.append(body)
        second = self.second is not None and found is self.asked and len(found) % 2 == 0
        status = self.second if second else self.status
        if status is MUTE:
            return MUTE
        words = "" if status >= 0 else "too many guesses"
        return 200, {"Content-Type": "application/json"}, json.dumps({"status": status, "msg": words}).encode()


class Policy(Case):
    secrets = [PASSWORD, KEY, NONCE]

    def service(self, status=0):
        service = PolicyService(self.ground, status)
        self.addCleanup(service.close)
        self.addCleanup(lambda: self.assertEqual(service.wrong, [], "every request is well-formed"))
        return service

    def run_with(self, service, store, policy=None, **auth):
        settings = {"url": service.url + "/policy/", "nonce": NONCE, "timeout": "3s",
                    "key_file": self.ground.write("key", KEY + "\n", 0o600), **(policy or {})}
        return self.start(store, {"auth": {"policy": settings, **auth}})

    def ask(self, postern, user="anna", password=PASSWORD):
        return self.connect(postern).ask(f"a LOGIN {user} {password}")[-1]

    def told(self, service, count):
        return wait_for(lambda: len(service.told) >= count and service.told, what=f"{count} reports")

    def test_the_service_is_asked_and_told(self):
        service, store = self.service(), self.fake()
        postern = self.run_with(service, store)
        wire = self.connect(postern)
        wire.ask('i ID ("name" "rig" "version" "1")')
        self.assertIn("a OK", wire.ask(f"a LOGIN anna {PASSWORD}")[-1])
        asked, told = service.asked[0], self.told(service, 1)[0]
        session = asked["session_id"]
        digest = hashlib.sha256(f"{NONCE}anna\0{PASSWORD}".encode()).hexdigest()
        self.assertEqual(asked, {"login": "anna", "pwhash": "0" + digest[:3], "tls": True, "protocol": "imap",
                                 "remote": wire.socket.getsockname()[0], "session_id": session,
                                 "device_id": '"name" "rig" "version" "1"'})
        self.assertTrue(store.saw(session), "store and policy service know one session")
        self.assertEqual(told, {**asked, "fail_type": "", "success": True, "policy_reject": False})
        self.login_pop3(postern, "anna", PASSWORD)
        self.assertEqual(self.told(service, 2)[1]["protocol"], "pop3")

    def test_a_wrong_password_is_reported(self):
        service = self.service()
        postern = self.run_with(service, self.fake({143: imap(login="NO no")}))
        self.assertEqual(self.ask(postern), "a " + REFUSED)
        told = self.told(service, 1)[0]
        self.assertEqual((told["fail_type"], told["success"], told["policy_reject"]), ("credentials", False, False))

    def test_the_service_refuses_before_anybody_sees_the_password(self):
        service, store = self.service(-1), self.fake()
        postern = self.run_with(service, store)
        self.assertEqual(self.ask(postern), "a " + REFUSED)
        wire = self.connect(postern, port=995)
        wire.say("USER anna")
        self.assertEqual(wire.say(f"PASS {PASSWORD}"), "-ERR [AUTH] Authentication failed.")
        self.assertFalse(store.saw(PASSWORD))
        record = postern.wait_for_record(msg="login_refused", protocol="imap")
        self.assertEqual((record["fault"], record["blame"]), ("policy_refused", "credentials"))
        self.assertIn("too many guesses", record["detail"])
        for told in self.told(service, 2):
            self.assertEqual((told["fail_type"], told["success"], told["policy_reject"]), ("policy", False, True))

    def test_the_service_has_the_last_word_behind_the_store(self):
        service, store = self.service(), self.fake()
        service.second = -1
        postern = self.run_with(service, store)
        wire = self.connect(postern)
        self.assertEqual(wire.ask(f"a LOGIN anna {PASSWORD}")[-1], "a " + REFUSED)
        self.assertTrue(store.saw(PASSWORD), "the store has let the user in")
        record = postern.wait_for_record(msg="login_refused", user="anna")
        self.assertEqual(record["fault"], "policy_refused")
        self.assertIn("too many guesses", record["detail"])
        service.second = None
        self.assertIn("b OK", wire.ask(f"b LOGIN anna {PASSWORD}")[-1], "the client may try again")
        self.assertEqual([(told["success"], told["policy_reject"]) for told in self.told(service, 2)],
                         [(False, True), (True, False)])
        self.assertEqual(len(service.asked), 4)

    def test_a_mute_service_behind_the_store_refuses_where_that_is_wanted(self):
        service, store = self.service(), self.fake()
        service.second = MUTE
        postern = self.run_with(service, store, {"reject_on_failure": True, "timeout": "500ms"})
        self.assertEqual(self.ask(postern), "a " + UNAVAILABLE)
        self.assertEqual(service.told, [])
        gentle = self.run_with(service, store, {"timeout": "500ms"})
        self.assertTrue(self.ask(gentle).startswith("a OK"))

    def test_the_service_may_hold_a_login(self):
        service, store = self.service(1), self.fake()
        postern = self.run_with(service, store)
        before = time.monotonic()
        self.assertTrue(self.ask(postern).startswith("a OK"))
        self.assertGreaterEqual(time.monotonic() - before, 1)

    def test_a_held_login_does_not_hold_others(self):
        service = self.service(30)
        postern = self.run_with(service, self.fake())
        held = self.connect(postern)
        held.send_lines(f"a LOGIN anna {PASSWORD}")
        wait_for(lambda: service.asked, what="the question")
        service.status = 0
        for _ in range(4):
            self.assertTrue(self.ask(postern, "dora").startswith("a OK"))
        held.close()
        postern.wait_for_record(msg="session", user="anna", result="abandoned")

    def test_an_unreachable_service_refuses_nobody(self):
        for status in (MUTE, "down"):
            with self.subTest(status):
                service = self.service(MUTE)
                postern = self.run_with(service, self.fake())
                if status == "down":
                    service.close()
                self.assertTrue(self.ask(postern).startswith("a OK"))

    def test_an_unreachable_service_refuses_everybody_where_that_is_wanted(self):
        service, store = self.service(), self.fake()
        postern = self.run_with(service, store, {"reject_on_failure": True})
        self.assertTrue(self.ask(postern).startswith("a OK"))
        service.close()
        self.assertEqual(self.ask(postern, "dora"), "a " + UNAVAILABLE)
        self.assertFalse(store.saw("dora"))
        postern.wait_for_record(msg="login_refused", user="dora", fault="auth_unavailable")
        service.start()
        self.assertTrue(self.ask(postern).startswith("a OK"))

    def test_what_is_temporary_is_never_reported(self):
        service = self.service()
        store = self.fake({143: imap(login="NO [UNAVAILABLE] later"), 110: pop3(login="-ERR [SYS/TEMP] later")})
        postern = self.run_with(service, store)
        self.assertIn("[UNAVAILABLE]", self.ask(postern))
        wire = self.connect(postern, port=995)
        wire.say("USER anna")
        self.assertIn("[SYS/TEMP]", wire.say(f"PASS {PASSWORD}"))
        good = self.start(self.fake({143: imap(login="NO no")}), {"auth": postern.configuration["auth"]}, name="good")
        self.assertEqual(self.ask(good, "dora"), "a " + REFUSED)
        self.told(service, 1)
        self.assertEqual([(told["login"], told["fail_type"]) for told in service.told], [("dora", "credentials")])

    def test_a_reload_brings_the_new_key(self):
        service = self.service(-1)
        postern = self.run_with(service, self.fake())
        self.assertEqual(self.ask(postern), "a " + REFUSED)
        self.told(service, 1)
        service.key = "policy-key-secret-4"
        self.ground.write("key", service.key + "\n", 0o600)
        postern.reconfigure(postern.configuration)
        postern.wait_for_record(msg="reloaded")
        self.assertEqual(self.ask(postern), "a " + REFUSED)

    def test_a_source_of_identity_is_between_two_questions(self):
        service = self.service()
        source = HttpService(self.ground, lambda request: {"Auth-Status": "OK"})
        self.addCleanup(source.close)
        store = self.fake()
        postern = self.run_with(service, store, by="http", http={"url": source.url})
        self.assertTrue(self.ask(postern).startswith("a OK"))
        self.assertEqual(len(service.asked), 2)
        self.assertEqual(service.asked[0], service.asked[1])
        source.answer = lambda request: {"Auth-Status": "No"}
        self.assertIn("AUTHENTICATIONFAILED", self.ask(postern))
        self.assertEqual(len(service.asked), 3, "a wrong password needs no second opinion")
        self.assertEqual([told["success"] for told in self.told(service, 2)], [True, False])
        self.assertEqual(postern.metric("postern_policy_answers_total", result="allowed"), 3)
        for result in ("accepted", "refused"):
            self.assertEqual(postern.metric("postern_auth_answers_total", result=result), 1)
        self.assertEqual(postern.metric("postern_auth_seconds_count"), 2)
        self.assertEqual(postern.metric("postern_auth_waiting"), 0)


if __name__ == "__main__":
    unittest.main()
