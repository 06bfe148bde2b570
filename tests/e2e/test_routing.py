"""Which store a user comes to."""

import threading
import unittest

from rig.case import USERS, Case, message
from rig.cyrus import Cyrus
from rig.dovecot import Dovecot
from rig.fake_store import imap, pop3
from rig.ground import wait_for
from rig.postern import pool

PASSWORD = "route-secret-1"


def telling(name):
    """A store whose answer to a login names it."""
    return {143: imap(login=f"OK [CAPABILITY IMAP4rev1] {name}"), 110: pop3(login=f"+OK {name}")}


class Routing(Case):
    secrets = [PASSWORD, *USERS.values()]

    def stores(self, *names):
        return [self.fake(telling(name), name=name) for name in names]

    def where(self, postern, user, **options):
        wire = self.connect(postern, **options)
        answer = wire.ask(f"a LOGIN {user} {PASSWORD}")[-1]
        wire.close()
        return answer.split()[-1] if answer.startswith("a OK") else answer

    def test_the_first_route_that_matches_counts(self):
        red, green, blue = self.stores("red", "green", "blue")
        postern = self.start({"red": pool(red), "two": pool(green, blue)}, {"route": [
            {"user": "*@red.test", "pool": "red"},
            {"user": "/b[0-9]+@two\\.test/", "pool": "two", "backend": "blue"},
            {"user": "*@two.test", "pool": "two", "backend": "green"},
            {"user": "*", "server_name": "red.example", "pool": "red"},
        ]})
        self.assertEqual(self.where(postern, "a@red.test"), "red")
        self.assertEqual(self.where(postern, "b17@two.test"), "blue")
        self.assertEqual(self.where(postern, "x@two.test"), "green")
        self.assertEqual(self.where(postern, "x@else.test", name="red.example"), "red")

    def test_without_a_route_the_login_is_refused_like_a_wrong_password(self):
        red, = self.stores("red")
        postern = self.start({"red": pool(red)}, {"route": [{"user": "*@red.test", "pool": "red"}]})
        self.assertEqual(self.where(postern, "a@blue.test"), "a NO [AUTHENTICATIONFAILED] Authentication failed.")
        self.assertFalse(red.saw(PASSWORD))

    def test_a_user_has_one_home_and_users_are_spread(self):
        names = ("one", "two", "three")
        postern = self.start({"store": pool(*self.stores(*names))})
        homes = {f"user{number}": self.where(postern, f"user{number}") for number in range(24)}
        self.assertEqual(set(homes.values()), set(names))
        again = {user: self.where(postern, user) for user in homes}
        self.assertEqual(again, homes)

    def test_home_is_the_same_for_every_replica_and_after_a_restart(self):
        stores = self.stores("one", "two", "three")
        first = self.start({"store": pool(*stores)}, name="first")
        second = self.start({"store": pool(*reversed(stores))}, name="second")
        users = [f"user{number}" for number in range(12)]
        self.assertEqual([self.where(first, user) for user in users], [self.where(second, user) for user in users])

    def test_only_the_users_of_a_dead_store_move(self):
        stores = self.stores("one", "two", "three")
        postern = self.start({"store": pool(*stores, health={"interval": "200ms", "fall": 2})})
        users = [f"user{number}" for number in range(18)]
        before = {user: self.where(postern, user) for user in users}
        stores[0].close()
        wait_for(lambda: postern.metric("postern_backend_up", backend="one") == 0, what="one counts as down")
        after = {user: self.where(postern, user) for user in users}
        for user in users:
            with self.subTest(user):
                if before[user] == "one":
                    self.assertIn(after[user], ("two", "three"))
                else:
                    self.assertEqual(after[user], before[user])

    def test_partitioned_users_wait_for_their_home(self):
        stores = self.stores("one", "two", "three")
        postern = self.start({"store": pool(*stores, data="partitioned", health={"interval": "200ms", "fall": 2})})
        users = [f"user{number}" for number in range(12)]
        before = {user: self.where(postern, user) for user in users}
        stores[0].close()
        wait_for(lambda: postern.metric("postern_backend_up", backend="one") == 0, what="one counts as down")
        for user in users:
            due = "a NO [UNAVAILABLE] Account is temporarily unavailable." if before[user] == "one" else before[user]
            self.assertEqual(self.where(postern, user), due)

    def test_least_and_round_robin_spread_evenly(self):
        for balance in ("least", "round_robin"):
            with self.subTest(balance):
                stores = self.stores(f"{balance}1", f"{balance}2")
                postern = self.start({"store": pool(*stores, balance=balance)}, {"server": {"workers": 1}},
                                     name=balance)
                places = [self.login(postern, f"user{number}", PASSWORD).welcome.split()[-1] for number in range(8)]
                self.assertEqual(places.count(f"{balance}1"), 4, places)

    def test_a_full_backend_is_passed_over(self):
        stores = self.stores("one", "two")
        postern = self.start({"store": pool(*stores, limits={"sessions": 3})})
        places = [self.login(postern, "anna", PASSWORD).welcome.split()[-1] for _ in range(4)]
        self.assertEqual(sorted((places.count("one"), places.count("two"))), [1, 3])

    def test_many_logins_at_once_never_cross(self):
        def login(wire, tag):
            line = wire.received.decode(errors="replace").rsplit("LOGIN ", 1)[-1]
            user = line.split(" ")[0].strip('"')
            wire.send_lines(f"{tag} OK [CAPABILITY IMAP4rev1] mailbox of {user}")
            wire.rest()

        stores = [self.fake({143: imap(login=login)}, name=f"s{number}") for number in range(3)]
        postern = self.start({"store": pool(*stores, forward=[])})
        wrong = []

        def client(number):
            for turn in range(25):
                user = f"user{number}x{turn}"
                wire = self.connect(postern)
                answer = wire.ask(f"a LOGIN {user} {PASSWORD}")[-1]
                if not answer.endswith(f"mailbox of {user}"):
                    wrong.append((user, answer))
                wire.close()

        clients = [threading.Thread(target=client, args=(number,)) for number in range(8)]
        for each in clients:
            each.start()
        for each in clients:
            each.join(120)
        self.assertEqual(wrong, [])

    def test_users_of_dovecot_and_cyrus_live_side_by_side(self):
        dovecot, cyrus = Dovecot(self.ground, USERS), Cyrus(self.ground, USERS)
        dovecot.deliver("anna", message("from dovecot"))
        cyrus.deliver("dora", message("from cyrus"))
        postern = self.start({"dovecot": pool(dovecot), "cyrus": pool(cyrus)}, {"route": [
            {"user": "dora", "pool": "cyrus"}, {"user": "*", "pool": "dovecot"}]})
        for user, subject in (("anna", "from dovecot"), ("dora", "from cyrus")):
            wire = self.login(postern, user, USERS[user])
            wire.ask("b SELECT INBOX")
            self.assertIn(f"Subject: {subject}", wire.ask("c FETCH 1 BODY[HEADER]"))
            wire = self.login_pop3(postern, user, USERS[user])
            wire.send_lines("RETR 1")
            self.assertIn(f"Subject: {subject}", wire.lines_until("."))

    def test_the_log_and_the_metrics_name_pool_and_backend(self):
        one, = self.stores("one")
        postern = self.start({"main": pool(one)})
        wire = self.login(postern, "anna", PASSWORD)
        wire.ask("b LOGOUT")
        wire.close()
        record = postern.wait_for_record(user="anna")
        self.assertEqual((record["pool"], record["backend"]), ("main", "one"))
        self.assertEqual(postern.metric("postern_logins_total", result="ok"), 1)


if __name__ == "__main__":
    unittest.main()
