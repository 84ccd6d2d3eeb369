"""One session of kazoo that writes and watches all the time while servers come
and go. Called with a connect string and a path; says "ready", then "wrote N"
now and then. When a line comes it looks at what must be there and says
"done N"."""

import logging
import queue
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import ConnectionLoss, NodeExistsError, OperationTimeoutError
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.protocol.states import EventType

SERVERS, PATH = sys.argv[1:]
PATIENCE = 60
SAID_EVERY = 20
LOST = (ConnectionLoss, OperationTimeoutError, KazooTimeoutError)

logging.basicConfig(level=logging.CRITICAL)


def say(text):
    print(text, flush=True)


def insist(action):
    """What may be asked again is asked until a server answers."""
    while True:
        try:
            return action()
        except LOST:
            pass


class Writer:
    def __init__(self):
        retries = {"max_tries": -1, "delay": 0.005, "max_delay": 0.05}
        self.client = KazooClient(hosts=SERVERS, timeout=30, connection_retry=retries)
        self.client.start(timeout=PATIENCE)
        self.events = queue.Queue()
        self.lost = 0

    def create(self):
        try:
            insist(lambda: self.client.create(PATH, b"0", ephemeral=True))
        except NodeExistsError:
            pass

    def write(self, number):
        insist(lambda: self.client.get(PATH, watch=self.events.put))
        while True:
            try:
                self.client.set(PATH, str(number).encode(), version=number - 1)
                break
            except LOST:
                if self.version() == number:
                    break
        fired = self.events.get(timeout=PATIENCE).type
        # kazoo's watches end with their connection, and say so.
        assert fired in (EventType.CHANGED, EventType.NONE), f"{number}: {fired}"
        self.lost += fired == EventType.NONE

    def version(self):
        insist(lambda: self.client.sync(PATH))
        return insist(lambda: self.client.exists(PATH)).version

    def check_what_is_there(self, number, session):
        data, stat = insist(lambda: self.client.get(PATH))
        assert data == str(number).encode(), f"{data}, not {number}"
        assert stat.version == number, f"version {stat.version}, not {number}"
        assert stat.ephemeralOwner == session, "another owner"
        assert self.client.client_id[0] == session, "another session"
        assert self.events.empty(), "a watch fired twice"
        assert self.lost < number / 10, f"{self.lost} watches were lost"


def main():
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), ended.set()), daemon=True).start()
    writer = Writer()
    writer.create()
    session = writer.client.client_id[0]
    say("ready")
    number = 0
    while not ended.is_set():
        number += 1
        writer.write(number)
        if number % SAID_EVERY == 0:
            say(f"wrote {number}")
    writer.check_what_is_there(number, session)
    writer.client.stop()
    say(f"done {number}")


main()
