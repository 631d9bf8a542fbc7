"""What Python's client of KurrentDB does with the event store of `zhulu serve`.

    story.py ADDRESS                        without TLS and passwords
    story.py ADDRESS CA_FILE PASSWORD_FILE  with both

A line `RESTART` on the standard output asks whoever started this script to kill the server and to start it again at the
same address; the answer is a line on the standard input.
"""

import json
import os
import sys
import threading
from pathlib import Path
from uuid import uuid4

from kurrentdbclient import KurrentDBClient, NewEvent, NewEvents, StreamState
from kurrentdbclient.exceptions import (
    AccessDeniedError,
    FailedPreconditionError,
    GrpcError,
    KurrentDBClientError,
    NotFoundError,
    StreamIsDeletedError,
    UnauthenticatedError,
    WrongCurrentVersionError,
)

NO_STREAM, ANY, EXISTS = StreamState.NO_STREAM, StreamState.ANY, StreamState.EXISTS
# How long anything that happens by itself may take; generous, for a machine that does something else meanwhile.
PATIENCE_SECONDS = 60
RUN = uuid4().hex[:8]


def stream(name):
    return f"{name}{RUN}-{uuid4()}"


def event(kind="Drawn", **data):
    return NewEvent(type=kind, data=json.dumps(data).encode(), metadata=b'{"by":"python"}')


def refused(error, call):
    try:
        call()
    except error as refusal:
        return refusal
    raise AssertionError(f"this was not refused with {error.__name__}")


def appends_with_every_expected_revision(client):
    name = stream("plan")
    refused(WrongCurrentVersionError, lambda: client.append_to_stream(name, events=event(), current_version=EXISTS))
    refused(WrongCurrentVersionError, lambda: client.append_to_stream(name, events=event(), current_version=0))
    first = client.append_to_stream(name, events=event(n=0), current_version=NO_STREAM)
    second = client.append_to_stream(name, events=event(n=1), current_version=0)
    third = client.append_to_stream(name, events=event(n=2), current_version=EXISTS)
    fourth = client.append_to_stream(name, events=event(n=3), current_version=ANY)
    assert first < second < third < fourth
    assert client.get_current_version(name) == 3
    refused(WrongCurrentVersionError, lambda: client.append_to_stream(name, events=event(), current_version=NO_STREAM))
    refused(WrongCurrentVersionError, lambda: client.append_to_stream(name, events=event(), current_version=1))
    refused(WrongCurrentVersionError, lambda: client.append_to_stream(name, events=event(), current_version=7))
    assert client.get_current_version(name) == 3


def the_same_append_again_is_answered_and_not_written(client):
    name = stream("plan")
    one, two = event(n=0), event(n=1)
    at = client.append_to_stream(name, events=one, current_version=NO_STREAM)
    client.append_to_stream(name, events=two, current_version=0)
    assert client.append_to_stream(name, events=one, current_version=NO_STREAM) == at
    assert client.append_to_stream(name, events=one, current_version=ANY) == at
    assert [e.id for e in client.get_stream(name)] == [one.id, two.id]


def a_batch_is_written_whole_or_not_at_all(client):
    name = stream("batch")
    events = [event(n=n) for n in range(100)]
    at = client.append_to_stream(name, events=events, current_version=NO_STREAM)
    assert client.append_to_stream(name, events=events, current_version=NO_STREAM) == at
    refused(
        WrongCurrentVersionError,
        lambda: client.append_to_stream(name, events=[event(), event()], current_version=NO_STREAM),
    )
    read = client.get_stream(name)
    assert [e.id for e in read] == [e.id for e in events]
    assert read[0].type == "Drawn" and json.loads(read[7].data) == {"n": 7}
    assert read[0].metadata == b'{"by":"python"}' and read[0].content_type == "application/json"


def bytes_that_are_no_json_stay_what_they_are(client):
    name = stream("scan")
    scan = NewEvent(type="Scanned", data=bytes(range(256)), content_type="application/octet-stream")
    client.append_to_stream(name, events=scan, current_version=NO_STREAM)
    (read,) = client.get_stream(name)
    assert read.data == bytes(range(256)) and read.content_type == "application/octet-stream"


def a_stream_is_read_both_ways(client):
    name = stream("walk")
    refused(NotFoundError, lambda: client.get_stream(name))
    client.append_to_stream(name, events=[event(n=n) for n in range(10)], current_version=NO_STREAM)
    positions = lambda **how: [e.stream_position for e in client.get_stream(name, **how)]
    assert positions() == list(range(10))
    assert positions(stream_position=7) == [7, 8, 9]
    assert positions(backwards=True, limit=3) == [9, 8, 7]
    assert positions(stream_position=2, backwards=True) == [2, 1, 0]
    assert positions(stream_position=4, limit=2) == [4, 5]


def the_log_is_read_with_filters(client):
    wall, roof = stream("wall"), stream("roof")
    begin = client.get_commit_position()
    client.append_to_stream(wall, events=[event("Drawn"), event("Built")], current_version=NO_STREAM)
    client.append_to_stream(roof, events=[event("Drawn")], current_version=NO_STREAM)
    client.set_stream_metadata(roof, metadata={"colour": "red"})

    def seen(**how):
        found = client.read_all(commit_position=begin, **how)
        return [(e.stream_name, e.type) for e in found if RUN in e.stream_name and e.commit_position > begin]

    # The client's own default leaves out system events, with a regular expression that looks ahead.
    assert seen() == [(wall, "Drawn"), (wall, "Built"), (roof, "Drawn")]
    assert seen(filter_exclude=()) == [*seen(), (f"$${roof}", "$metadata")]
    by_prefix = {"filter_exclude": (), "filter_by_prefix": True}
    assert seen(filter_include=("wall",), filter_by_stream_name=True, **by_prefix) == [(wall, "Drawn"), (wall, "Built")]
    assert seen(filter_include=("Bui",), **by_prefix) == [(wall, "Built")]
    assert seen(filter_include=("Dr.wn",)) == [(wall, "Drawn"), (roof, "Drawn")]
    assert seen(filter_exclude=("roof.*",), filter_by_stream_name=True)[:2] == [(wall, "Drawn"), (wall, "Built")]
    backwards = [e for e in client.read_all(backwards=True, limit=20) if e.stream_name in (wall, roof)]
    assert [e.stream_name for e in backwards] == [roof, wall, wall]
    last = client.get_commit_position(filter_exclude=())
    inclusive = list(client.read_all(commit_position=last, filter_exclude=()))
    assert inclusive and inclusive[0].commit_position == last


def a_category_is_read(client):
    category = f"door{RUN}"
    names = [f"{category}-{n}" for n in range(3)]
    for name in names:
        client.append_to_stream(name, events=event(door=name), current_version=NO_STREAM)
    client.append_to_stream(f"doors{RUN}-0", events=event(), current_version=NO_STREAM)
    read = client.get_stream(f"$ce-{category}", resolve_links=True)
    assert [e.stream_name for e in read] == names
    assert [e.link.stream_position for e in read] == [0, 1, 2]


class Listener(threading.Thread):
    """Follows a stream, subscribing anew after the last event that it saw whenever the subscription breaks."""

    def __init__(self, client, name, wanted):
        super().__init__(daemon=True)
        self.client, self.name, self.wanted = client, name, wanted
        self.seen, self.news = [], threading.Condition()

    def run(self):
        last = None
        while len(self.seen) < self.wanted:
            try:
                subscription = self.client.subscribe_to_stream(self.name, stream_position=last)
                for event in subscription:
                    last = event.stream_position
                    with self.news:
                        self.seen.append(event)
                        self.news.notify_all()
                    if len(self.seen) == self.wanted:
                        return subscription.stop()
            except (GrpcError, KurrentDBClientError):
                patiently(self.client.reconnect)

    def wait_for(self, count):
        with self.news:
            assert self.news.wait_for(lambda: len(self.seen) >= count, PATIENCE_SECONDS), f"{len(self.seen)} of {count}"


def a_live_subscription_outlives_a_restart_of_the_server(client, listening):
    name = stream("live")
    client.append_to_stream(name, events=event(n=0), current_version=NO_STREAM)
    listener = Listener(listening, name, 4)
    listener.start()
    listener.wait_for(1)
    client.append_to_stream(name, events=event(n=1), current_version=0)
    listener.wait_for(2)
    print("RESTART", flush=True)
    assert sys.stdin.readline().strip() == "RESTARTED"
    patiently(lambda: client.append_to_stream(name, events=event(n=2), current_version=1))
    client.append_to_stream(name, events=event(n=3), current_version=2)
    listener.wait_for(4)
    assert [e.stream_position for e in listener.seen] == [0, 1, 2, 3]


def patiently(call):
    for _ in range(PATIENCE_SECONDS):
        try:
            return call()
        except (GrpcError, KurrentDBClientError) as error:
            if isinstance(error, WrongCurrentVersionError):
                raise
            threading.Event().wait(1)
    return call()


def a_deleted_stream_begins_again_where_it_ended(client):
    name = stream("gone")
    refused(NotFoundError, lambda: client.delete_stream(stream("never"), current_version=EXISTS))
    client.append_to_stream(name, events=[event(), event()], current_version=NO_STREAM)
    refused(WrongCurrentVersionError, lambda: client.delete_stream(name, current_version=0))
    client.delete_stream(name, current_version=1)
    refused(NotFoundError, lambda: client.get_stream(name))
    client.append_to_stream(name, events=event(n="again"), current_version=NO_STREAM)
    assert [e.stream_position for e in client.get_stream(name)] == [2]


def a_tombstone_is_for_ever(client):
    name = stream("dead")
    client.append_to_stream(name, events=event(), current_version=NO_STREAM)
    client.tombstone_stream(name, current_version=0)
    refused(StreamIsDeletedError, lambda: client.get_stream(name))
    refused(FailedPreconditionError, lambda: client.append_to_stream(name, events=event(), current_version=ANY))
    refused(StreamIsDeletedError, lambda: client.append_to_stream(name, events=[event(), event()], current_version=ANY))
    refused(StreamIsDeletedError, lambda: client.tombstone_stream(name, current_version=ANY))


def metadata_hides_the_old(client):
    name = stream("short")
    client.append_to_stream(name, events=[event(n=n) for n in range(10)], current_version=NO_STREAM)
    assert client.get_stream_metadata(name) == ({}, NO_STREAM)
    client.set_stream_metadata(name, metadata={"$maxCount": 3, "colour": "red"}, current_version=NO_STREAM)
    assert [e.stream_position for e in client.get_stream(name)] == [7, 8, 9]
    client.set_stream_metadata(name, metadata={"$tb": 9}, current_version=0)
    assert [e.stream_position for e in client.get_stream(name)] == [9]
    assert client.get_stream_metadata(name) == ({"$tb": 9}, 1)
    refused(WrongCurrentVersionError, lambda: client.set_stream_metadata(name, metadata={}, current_version=0))


def two_consumers_share_a_persistent_subscription(client):
    name, group = stream("work"), f"workers{RUN}"
    client.create_subscription_to_stream(group, name, consumer_strategy="RoundRobin", message_timeout=10)
    consumers = [client.read_subscription_to_stream(group, name, max_ack_delay=0.01) for _ in range(2)]
    sent = [event(n=n) for n in range(20)]
    ids = [e.id for e in sent]
    client.append_to_stream(name, events=sent, current_version=NO_STREAM)
    done, lock, enough = [], threading.Lock(), threading.Event()

    def consume(number, consumer):
        refusals = 0
        for received in consumer:
            if refusals == 0 and number == 0:
                refusals += 1
                consumer.nack(received, "retry")
                continue
            consumer.ack(received)
            with lock:
                done.append((number, received.id))
                if len(done) == len(ids):
                    enough.set()

    threads = [threading.Thread(target=consume, args=pair, daemon=True) for pair in enumerate(consumers)]
    for thread in threads:
        thread.start()
    assert enough.wait(PATIENCE_SECONDS), f"{len(done)} of {len(ids)}"
    assert sorted(i for _, i in done) == sorted(ids), "each once"
    assert {number for number, _ in done} == {0, 1}, "both had something to do"
    info = client.get_subscription_info(group, name)
    assert info.group_name == group and info.event_source == name and len(info.connections) == 2
    assert any(s.group_name == group for s in client.list_subscriptions())
    for consumer in consumers:
        consumer.stop()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    client.delete_subscription(group, name)
    refused(NotFoundError, lambda: client.get_subscription_info(group, name))


def several_streams_are_written_at_once_or_none(client):
    left, right = stream("left"), stream("right")

    def both(left_version, right_version):
        return client.multi_append_to_stream(
            [
                NewEvents(stream_name=left, events=[event(), event()], current_version=left_version),
                NewEvents(stream_name=right, events=[event()], current_version=right_version),
            ]
        )

    both(NO_STREAM, NO_STREAM)
    refused(WrongCurrentVersionError, lambda: both(1, NO_STREAM))
    assert client.get_current_version(left) == 1 and client.get_current_version(right) == 0
    both(1, 0)
    assert client.get_current_version(left) == 3 and client.get_current_version(right) == 1


def zhulus_own_streams_are_written_by_zhulu_alone(client):
    name = f"constructionPermit-{uuid4()}"
    refused(AccessDeniedError, lambda: client.append_to_stream(name, events=event(), current_version=NO_STREAM))
    refused(AccessDeniedError, lambda: client.set_stream_metadata(name, metadata={"$tb": 1}))
    refused(NotFoundError, lambda: client.get_stream(name))


def only_who_knows_the_password_is_let_in(address, ca, password):
    wrong = connect(address, ca, f"not-{password}")
    refused((UnauthenticatedError, AccessDeniedError), lambda: wrong.get_stream(stream("plan")))
    wrong.close()
    right = connect(address, ca, password)
    appends_with_every_expected_revision(right)
    the_log_is_read_with_filters(right)
    zhulus_own_streams_are_written_by_zhulu_alone(right)
    right.close()


def connect(address, ca=None, password=None):
    if ca is None:
        return KurrentDBClient(f"kurrentdb://{address}?Tls=false")
    return KurrentDBClient(f"kurrentdb://admin:{password}@{address}", root_certificates=Path(ca).read_text())


def main():
    address, *secrets = sys.argv[1:]
    if secrets:
        ca, password_file = secrets
        only_who_knows_the_password_is_let_in(address, ca, Path(password_file).read_text().strip())
        return
    client = connect(address)
    for story in (
        appends_with_every_expected_revision,
        the_same_append_again_is_answered_and_not_written,
        a_batch_is_written_whole_or_not_at_all,
        bytes_that_are_no_json_stay_what_they_are,
        a_stream_is_read_both_ways,
        the_log_is_read_with_filters,
        a_category_is_read,
        a_deleted_stream_begins_again_where_it_ended,
        a_tombstone_is_for_ever,
        metadata_hides_the_old,
        two_consumers_share_a_persistent_subscription,
        several_streams_are_written_at_once_or_none,
        zhulus_own_streams_are_written_by_zhulu_alone,
    ):
        story(client)
        print(f"ok {story.__name__}", flush=True)
    a_live_subscription_outlives_a_restart_of_the_server(client, connect(address))
    print("ok a_live_subscription_outlives_a_restart_of_the_server", flush=True)
    client.close()


if __name__ == "__main__":
    main()
    # The client closes its channel once more when it is collected; at the end of the process that waits for ever at times.
    sys.stdout.flush()
    os._exit(0)
