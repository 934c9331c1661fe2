#!/usr/bin/env python3
"""What one would write by hand instead of Redeliver: the drain benchmark's honest comparison.

Reads the delivery log of one endpoint, stores every failure in SQLite, then asks the provider to retry all that is due,
with many calls in flight, and exits when nothing is due any more. It is as durable as Redeliver: the intent of a call is
on disk before the call begins, and its outcome soon after it ended. Prints how many deliveries were taken on.
"""
import argparse
import asyncio
import json
import re
import sqlite3
import time
import typing

import aiohttp
import uvloop
import yarl

SCHEMA = """
    -- Ids, event types and bodies are JSON as the log has it.
    CREATE TABLE IF NOT EXISTS delivery (
        id INTEGER NOT NULL PRIMARY KEY,
        task_id TEXT NOT NULL UNIQUE,
        event_type TEXT NOT NULL,
        customer_id TEXT NOT NULL,
        webhook_id TEXT NOT NULL,
        body TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('scheduled', 'attempting', 'delivered')),
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_ms INTEGER
    ) STRICT;
    CREATE INDEX IF NOT EXISTS delivery_due ON delivery (next_attempt_ms) WHERE state = 'scheduled';
    CREATE TABLE IF NOT EXISTS attempt (
        delivery_id INTEGER NOT NULL REFERENCES delivery (id),
        number INTEGER NOT NULL,
        intent_ms INTEGER NOT NULL,
        answered_ms INTEGER,
        answer TEXT,
        PRIMARY KEY (delivery_id, number)
    ) STRICT, WITHOUT ROWID;
"""
HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "redeliver",
           "Authorization": "Bearer bench"}
DECODER = json.JSONDecoder()
SEPARATORS = re.compile(r"[ \t\r\n,:]*")


def now_ms():
    return time.time_ns() // 1_000_000


# MARK: The log

def parts(container):
    """The values of a JSON array as they are written, or the names and values of an object in turn."""
    at = SEPARATORS.match(container, 1).end()
    while container[at] not in "]}":
        end = DECODER.raw_decode(container, at)[1]
        yield container[at:end]
        at = SEPARATORS.match(container, end).end()


def members(container):
    """An object's values as they are written, by name: a body is to be sent as the log has it, byte for byte."""
    of = parts(container)
    return {json.loads(name): value for name, value in zip(of, of)}


async def failures(session, url):
    """The log page by page: of each its failures, ready to be stored."""
    while url:
        async with session.get(url) as response:
            response.raise_for_status()
            page = members((await response.text()).strip())
            entries = map(members, parts(page["results"]))
            yield [entry for entry in entries if json.loads(entry["status"]) == "failed"]
            following = json.loads(page.get("next", "null"))
            url = following and response.url.join(yarl.URL(following))


# MARK: The queue

class Outcome(typing.NamedTuple):
    delivery: int
    number: int
    answer: str
    answered: int

    @property
    def is_accepted(self):
        return self.answer.startswith("2")


class Queue:
    """The deliveries in SQLite; every method is one durable transaction."""

    def __init__(self, path):
        self.database = sqlite3.connect(path)
        self.database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + SCHEMA)
        with self.database:
            self.database.execute("UPDATE delivery SET state = 'scheduled' WHERE state = 'attempting'")

    def store(self, failures):
        now = now_ms()
        with self.database:
            self.database.executemany(
                """
                INSERT INTO delivery (task_id, event_type, customer_id, webhook_id, body, state, next_attempt_ms)
                VALUES (?, ?, ?, ?, ?, 'scheduled', ?) ON CONFLICT (task_id) DO NOTHING
                """,
                [(failure["task_id"], failure["event_type"], failure["customer_id"], failure["webhook_id"],
                  failure["body"], now) for failure in failures])

    def turn(self, outcomes, limit):
        """Records calls that have ended and claims up to `limit` deliveries, whose calls may begin then."""
        with self.database:
            self.record(outcomes)
            return self.claim(limit)

    def record(self, outcomes):
        self.database.executemany(
            "UPDATE attempt SET answered_ms = ?, answer = ? WHERE delivery_id = ? AND number = ?",
            [(outcome.answered, outcome.answer, outcome.delivery, outcome.number) for outcome in outcomes])
        self.database.executemany(
            "UPDATE delivery SET state = ?, next_attempt_ms = ? WHERE id = ?",
            [("delivered", None, outcome.delivery) if outcome.is_accepted
             else ("scheduled", outcome.answered + (60_000 << min(outcome.number, 10)), outcome.delivery)
             for outcome in outcomes])

    def claim(self, limit):
        now = now_ms()
        claimed = self.database.execute(
            """
            UPDATE delivery SET state = 'attempting', attempts = attempts + 1
            WHERE id IN (SELECT id FROM delivery WHERE state = 'scheduled' AND next_attempt_ms <= ?
                         ORDER BY next_attempt_ms LIMIT ?)
            RETURNING id, attempts, task_id, body, customer_id, webhook_id, event_type
            """, (now, limit)).fetchall()
        self.database.executemany(
            "INSERT INTO attempt (delivery_id, number, intent_ms) VALUES (?, ?, ?)",
            [(delivery, number, now) for delivery, number, *_ in claimed])
        return claimed


# MARK: The calls

class Drain:
    """Keeps calls in flight until nothing is due. What ends while a commit runs is recorded by the next."""

    def __init__(self, queue, session, url, concurrency):
        self.queue, self.session, self.url, self.concurrency = queue, session, url, concurrency
        self.in_flight = 0
        self.outcomes = []
        self.ended = asyncio.Event()
        self.drained = 0

    async def run(self):
        async with asyncio.TaskGroup() as calls:
            while True:
                for delivery in self.turn():
                    calls.create_task(self.call(*delivery))
                if self.in_flight == 0:
                    return self.drained
                await self.ended.wait()

    def turn(self):
        """One commit, on the event loop itself: a thread to wait for the disk costs more than the wait."""
        outcomes, self.outcomes = self.outcomes, []
        self.ended.clear()
        self.in_flight -= len(outcomes)
        claimed = self.queue.turn(outcomes, self.concurrency - self.in_flight)
        self.in_flight += len(claimed)
        self.drained += sum(outcome.is_accepted for outcome in outcomes)
        return claimed

    async def call(self, delivery, number, task_id, body, customer_id, webhook_id, event_type):
        payload = (f'{{"task_id": {task_id}, "body": {body}, "customer_id": {customer_id}, '
                   f'"webhook_id": {webhook_id}, "event_type": {event_type}}}').encode()
        try:
            async with self.session.post(
                self.url, data=payload, headers={"Content-Type": "application/json"}
            ) as response:
                await response.read()
                answer = str(response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            answer = type(error).__name__
        self.outcomes.append(Outcome(delivery, number, answer, now_ms()))
        self.ended.set()


async def main(arguments):
    queue = Queue(arguments.database)
    base = f"{arguments.base_url}/api/v2/webhook_endpoint"
    async with aiohttp.ClientSession(
        headers=HEADERS, connector=aiohttp.TCPConnector(limit=arguments.concurrency),
        timeout=aiohttp.ClientTimeout(total=30),
    ) as session:
        async for page in failures(session, f"{base}/{arguments.endpoint}/logs"):
            queue.store(page)
        drain = Drain(queue, session, yarl.URL(f"{base}/retry"), arguments.concurrency)
        print(json.dumps({"drained": await drain.run()}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--concurrency", type=int, default=64)
    uvloop.run(main(parser.parse_args()))
