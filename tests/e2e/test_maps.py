"""Users that are spread by hand: a map in a file, and one in a real Redis."""

import os
import time
import unittest

from rig import redis
from rig.case import Case
from rig.fake_store import imap, pop3
from rig.ground import wait_for
from rig.postern import check, merge, pool, toml
from rig.redis import Redis

PASSWORD = "map-secret-1"
SERVERBUG = "a NO [SERVERBUG] Account is temporarily unavailable."
UNAVAILABLE = "a NO [UNAVAILABLE] Account is temporarily unavailable."


class Maps(Case):
    secrets = [PASSWORD, redis.PASSWORD]

    def setUp(self):
        super().setUp()
        self.stores = {name: self.fake({143: imap(login=f"OK [CAPABILITY IMAP4rev1] {name}"),
                                        110: pop3(login=f"+OK {name}")}, name=name)
                       for name in ("one", "two", "three")}

    def run_with(self, settings, **changes):
        """Whom the map does not have goes to pool main, with store one; pool other has two and three."""
        pools = {"main": pool(self.stores["one"]), "other": pool(self.stores["two"], self.stores["three"])}
        return self.start(pools, {"map": {"users": settings}, "server": {"workers": 1},
                                  "route": [{"user": "*", "map": "users"}, {"user": "*", "pool": "main"}], **changes})

    def redis(self, **places):
        server = Redis(self.ground)
        for user, place in places.items():
            server.put(user, place)
        return server

    def settings(self, server, cache=None, **changes):
        return {"redis": {"address": server.place, "timeout": "2s",
                          "password_file": self.ground.write("redis-password", redis.PASSWORD + "\n", 0o600),
                          **changes},
                "cache": {"found": "1ms", "missing": "1ms", **(cache or {})}}

    def where(self, postern, user):
        wire = self.connect(postern)
        answer = wire.ask(f"a LOGIN {user} {PASSWORD}")[-1]
        wire.close()
        return answer.split()[-1] if answer.startswith("a OK") else answer

    def wait_until(self, postern, user, place):
        wait_for(lambda: self.where(postern, user) == place, what=f"{user} at {place}")

    def test_a_file_sends_users_to_pools_and_backends(self):
        file = self.ground.write("users.map", "# moved by hand\nanna other/three\nbert\tother/two\ndora  main\n")
        postern = self.run_with({"file": file})
        for user, place in (("anna", "three"), ("bert", "two"), ("dora", "one"), ("emil", "one"), ("ANNA", "one")):
            self.assertEqual(self.where(postern, user), place, user)
        wire = self.login_pop3(postern, "anna", PASSWORD)
        self.assertTrue(wire.welcome.endswith("three"))

    def write(self, text):
        """As one should: beside the file, and renamed."""
        os.rename(self.ground.write("users.map.new", text), self.ground.path("users.map"))

    def test_a_file_is_read_again_when_it_changes(self):
        file = self.ground.write("users.map", "")
        postern = self.run_with({"file": file})
        self.assertEqual(self.where(postern, "anna"), "one", "an empty file is a map without users")
        live = self.login(postern, "emil", PASSWORD)
        self.write("anna other/three\n")
        record = postern.wait_for_record(msg="map_reread", map="users")
        self.assertEqual(record["users"], 1)
        self.assertEqual(self.where(postern, "anna"), "three")
        self.write("anna other/two\ndora other/nowhere\n")
        record = postern.wait_for_record(msg="map_refused", map="users", level="error")
        self.assertIn("line 2: backend nowhere of pool other is not there", record["problems"])
        self.assertEqual(self.where(postern, "anna"), "three", "a bad file changes nothing")
        self.write("")
        wait_for(lambda: len(postern.records(msg="map_refused")) == 2, what="an empty file is refused")
        self.assertEqual(self.where(postern, "anna"), "three", "nor does one that may be half written")
        self.write("# nobody\n")
        wait_for(lambda: len(postern.records(msg="map_reread")) == 2, what="the file is reread")
        self.assertEqual(self.where(postern, "anna"), "one")
        self.assertIn("n OK", live.ask("n NOOP")[-1])

    def test_a_file_is_read_again_with_the_configuration(self):
        file = self.ground.write("users.map", "anna other/three\n")
        postern = self.run_with({"file": file})
        live = self.login(postern, "anna", PASSWORD)
        self.ground.write("users.map", "anna other/two\n")
        postern.reconfigure(postern.configuration)
        self.wait_until(postern, "anna", "two")
        self.ground.write("users.map", "anna other/nowhere\n")
        postern.reconfigure(postern.configuration)
        postern.wait_for_record(level="error")
        self.assertEqual(self.where(postern, "anna"), "two", "a bad file changes nothing")
        self.assertIn("n OK", live.ask("n NOOP")[-1])

    def test_a_place_that_is_not_there_is_found_before_it_is_used(self):
        file = self.ground.write("users.map", "anna nowhere\ndora other/four\n")
        postern = self.run_with({"file": self.ground.write("good.map", "dora main\n")})
        status, said = check(self.ground, toml(merge(postern.configuration, {"map": {"users": {"file": file}}})))
        self.assertEqual(status, 2, said)
        self.assertIn("nowhere", said)
        self.assertIn("four", said)

    def test_redis_sends_users_to_pools_and_backends(self):
        server = self.redis(anna="other/three", bert="other/two", dora="main")
        postern = self.run_with(self.settings(server))
        for user, place in (("anna", "three"), ("bert", "two"), ("dora", "one"), ("emil", "one")):
            self.assertEqual(self.where(postern, user), place, user)
        server.put("emil", "other/two")
        self.wait_until(postern, "emil", "two")
        self.assertTrue(self.login_pop3(postern, "anna", PASSWORD).welcome.endswith("three"))

    def test_key_and_database_are_the_operators(self):
        server = self.redis()
        server.do("SET", "mail/anna/host", "other/three", database=5)
        postern = self.run_with(self.settings(server, database=5, key="mail/{user}/host"))
        self.assertEqual(self.where(postern, "anna"), "three")

    def test_an_answer_is_believed_as_long_as_the_cache_says(self):
        server = self.redis(anna="other/three")
        postern = self.run_with(self.settings(server, {"found": "1h", "missing": "1h"}))
        for user, place in (("anna", "three"), ("emil", "one")):
            self.assertEqual(self.where(postern, user), place)
            server.put(user, "other/two")
            self.assertEqual(self.where(postern, user), place)
        self.assertEqual(self.where(postern, "dora"), "one")
        self.assertEqual(postern.metric("postern_map_answers_total", map="users", result="found"), 2)
        self.assertEqual(postern.metric("postern_map_answers_total", map="users", result="not_found"), 3)
        self.assertEqual(postern.metric("postern_map_cache_hits_total", map="users"), 2)

    def test_a_place_that_is_not_there_is_the_configurations_fault(self):
        server = self.redis(anna="nowhere", bert="other/four", dora="not a place", emil="other")
        postern = self.run_with(self.settings(server))
        for user in ("anna", "bert", "dora"):
            self.assertEqual(self.where(postern, user), SERVERBUG, user)
            record = postern.wait_for_record(msg="login_refused", user=user)
            self.assertEqual((record["fault"], record["blame"]), ("lookup_invalid", "configuration"))
            self.assertIn("map users", record["detail"])
        self.assertIn("nowhere", postern.records(msg="login_refused", user="anna")[-1]["detail"])
        server.put("anna", "other/two")
        self.wait_until(postern, "anna", "two")

    def check_outage(self, fail, recover):
        server = self.redis(anna="other/three")
        postern = self.run_with(self.settings(server))
        live = self.login(postern, "anna", PASSWORD)
        self.assertEqual(self.where(postern, "emil"), "one")
        fail(server)
        self.assertEqual(self.where(postern, "anna"), "three", "a known user stays at home")
        self.assertEqual(self.where(postern, "emil"), "one", "so does one of whom the map is known to know nothing")
        self.assertEqual(self.where(postern, "bert"), UNAVAILABLE, "nobody else is guessed at")
        record = postern.wait_for_record(msg="login_refused", user="bert")
        self.assertEqual((record["fault"], record["blame"]), ("lookup_unavailable", "source"))
        before = time.monotonic()
        self.assertIn("n OK", live.ask("n NOOP")[-1])
        self.assertLess(time.monotonic() - before, 1)
        recover(server)
        server.put("bert", "other/two")
        self.wait_until(postern, "bert", "two")
        self.assertIn("o OK", live.ask("o NOOP")[-1])

    def test_redis_may_go_and_come_back(self):
        self.check_outage(Redis.stop, Redis.start)

    def test_redis_may_fall_silent_and_wake_up(self):
        self.check_outage(Redis.freeze, Redis.thaw)

    def test_a_reload_brings_redis_another_password_and_a_wrong_one_is_not_the_users(self):
        server = self.redis(anna="other/three")
        postern = self.run_with(self.settings(server))
        self.ground.write("redis-password", "wrong\n", 0o600)
        postern.reconfigure(postern.configuration)
        postern.wait_for_record(msg="reloaded")
        self.assertEqual(self.where(postern, "dora"), UNAVAILABLE)
        postern.wait_for_record(msg="login_refused", fault="lookup_unavailable")
        self.ground.write("redis-password", redis.PASSWORD + "\n", 0o600)
        postern.reconfigure(postern.configuration)
        self.wait_until(postern, "anna", "three")


if __name__ == "__main__":
    unittest.main()
