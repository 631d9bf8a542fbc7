// What Node's client of KurrentDB does with the event store of `zhulu serve`.
//
//     story.mjs ADDRESS                        without TLS and passwords
//     story.mjs ADDRESS CA_FILE PASSWORD_FILE  with both
//
// A line `RESTART` on the standard output asks whoever started this script to kill the server and to start it again at
// the same address; the answer is a line on the standard input.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import client from "@kurrent/kurrentdb-client";

const { ANY, BACKWARDS, END, FORWARDS, NO_STREAM, RETRY, START, STREAM_EXISTS, STREAM_STATE } = client;
const { ErrorType, KurrentDBClient, binaryEvent, jsonEvent } = client;
const { eventTypeFilter, persistentSubscriptionToStreamSettingsFromDefaults, streamNameFilter } = client;

// How long anything that happens by itself may take; generous, for a machine that does something else meanwhile.
const PATIENCE_SECONDS = 60;
const RUN = randomUUID().slice(0, 8);

const stream = (name) => `${name}${RUN}-${randomUUID()}`;
const event = (data = {}, type = "Drawn") => jsonEvent({ type, data, metadata: { by: "node" } });
const range = (count) => Array.from({ length: count }, (_, n) => n);

async function refused(type, promise) {
  const refusal = await promise.then(
    () => assert.fail(`this was not refused with ${type}`),
    (error) => error,
  );
  assert.ok([type].flat().includes(refusal.type), `refused with ${refusal.type}, not with ${type}: ${refusal.message}`);
  return refusal;
}

async function all(iterator) {
  const found = [];
  for await (const item of iterator) found.push(item);
  return found;
}

const read = async (db, name, how = {}) => (await all(db.readStream(name, how))).map(({ event }) => event);
const revisions = async (db, name, how) => (await read(db, name, how)).map((event) => Number(event.revision));

async function appendsWithEveryExpectedRevision(db) {
  const name = stream("plan");
  const append = (streamState) => db.appendToStream(name, event(), { streamState });
  const conflict = ErrorType.WRONG_EXPECTED_VERSION;
  await refused(conflict, append(STREAM_EXISTS));
  await refused(conflict, append(0n));
  assert.equal((await append(NO_STREAM)).nextExpectedRevision, 0n);
  assert.equal((await append(0n)).nextExpectedRevision, 1n);
  assert.equal((await append(STREAM_EXISTS)).nextExpectedRevision, 2n);
  assert.equal((await append(ANY)).nextExpectedRevision, 3n);
  await refused(conflict, append(NO_STREAM));
  await refused(conflict, append(1n));
  await refused(conflict, append(7n));
  assert.deepEqual(await revisions(db, name), [0, 1, 2, 3]);
}

async function theSameAppendAgainIsAnsweredAndNotWritten(db) {
  const name = stream("plan");
  const [one, two] = [event({ n: 0 }), event({ n: 1 })];
  const first = await db.appendToStream(name, one, { streamState: NO_STREAM });
  await db.appendToStream(name, two, { streamState: 0n });
  const again = await db.appendToStream(name, one, { streamState: NO_STREAM });
  assert.equal(again.nextExpectedRevision, first.nextExpectedRevision);
  assert.deepEqual(again.position, first.position);
  await db.appendToStream(name, one, { streamState: ANY });
  assert.deepEqual((await read(db, name)).map(({ id }) => id), [one.id, two.id]);
}

async function aBatchIsWrittenWholeOrNotAtAll(db) {
  const name = stream("batch");
  const events = range(100).map((n) => event({ n }));
  await db.appendToStream(name, events, { streamState: NO_STREAM });
  await db.appendToStream(name, events, { streamState: NO_STREAM });
  await refused(ErrorType.WRONG_EXPECTED_VERSION, db.appendToStream(name, [event(), event()], { streamState: NO_STREAM }));
  const found = await read(db, name);
  assert.deepEqual(found.map(({ id }) => id), events.map(({ id }) => id));
  assert.deepEqual(found[7].data, { n: 7 });
  assert.deepEqual(found[7].metadata, { by: "node" });
}

async function bytesThatAreNoJsonStayWhatTheyAre(db) {
  const name = stream("scan");
  const data = Uint8Array.from(range(256));
  await db.appendToStream(name, binaryEvent({ type: "Scanned", data }), { streamState: NO_STREAM });
  const [scan] = await read(db, name);
  assert.equal(scan.isJson, false);
  assert.deepEqual(Uint8Array.from(scan.data), data);
}

async function aStreamIsReadBothWays(db) {
  const name = stream("walk");
  await refused(ErrorType.STREAM_NOT_FOUND, read(db, name));
  await db.appendToStream(name, range(10).map((n) => event({ n })), { streamState: NO_STREAM });
  assert.deepEqual(await revisions(db, name), range(10));
  assert.deepEqual(await revisions(db, name, { fromRevision: 7n }), [7, 8, 9]);
  assert.deepEqual(await revisions(db, name, { direction: BACKWARDS, fromRevision: END, maxCount: 3 }), [9, 8, 7]);
  assert.deepEqual(await revisions(db, name, { direction: BACKWARDS, fromRevision: 2n }), [2, 1, 0]);
  assert.deepEqual(await revisions(db, name, { fromRevision: 4n, maxCount: 2 }), [4, 5]);
}

async function theLogIsReadWithFilters(db) {
  const [wall, roof] = [stream("wall"), stream("roof")];
  const [before] = await all(db.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 }));
  const fromPosition = before ? before.event.position : START;
  await db.appendToStream(wall, [event({}, "Drawn"), event({}, "Built")], { streamState: NO_STREAM });
  await db.appendToStream(roof, event({}, "Drawn"), { streamState: NO_STREAM });
  await db.setStreamMetadata(roof, { colour: "red" });
  const seen = async (filter) =>
    (await all(db.readAll({ direction: FORWARDS, fromPosition, filter })))
      .map(({ event }) => `${event.streamId} ${event.type}`)
      .filter((line) => line.includes(RUN) && !line.includes("before"));
  const since = async (filter) => (await seen(filter)).filter((line) => line.includes(wall) || line.includes(roof));
  assert.deepEqual(await since(), [`${wall} Drawn`, `${wall} Built`, `${roof} Drawn`, `$$${roof} $metadata`]);
  assert.deepEqual(await since(streamNameFilter({ prefixes: ["wall"] })), [`${wall} Drawn`, `${wall} Built`]);
  assert.deepEqual(await since(eventTypeFilter({ prefixes: ["Bui", "$meta"] })), [`${wall} Built`, `$$${roof} $metadata`]);
  assert.deepEqual(await since(eventTypeFilter({ regex: "^Dr.wn$" })), [`${wall} Drawn`, `${roof} Drawn`]);
  assert.deepEqual(await since(client.excludeSystemEvents()), [`${wall} Drawn`, `${wall} Built`, `${roof} Drawn`]);
  const backwards = await all(db.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 4 }));
  assert.deepEqual(backwards.map(({ event }) => event.streamId), [`$$${roof}`, roof, wall, wall]);
}

async function aCategoryIsRead(db) {
  const category = `door${RUN}`;
  const names = range(3).map((n) => `${category}-${n}`);
  for (const name of names) await db.appendToStream(name, event(), { streamState: NO_STREAM });
  await db.appendToStream(`doors${RUN}-0`, event(), { streamState: NO_STREAM });
  const found = await all(db.readStream(`$ce-${category}`, { resolveLinkTos: true }));
  assert.deepEqual(found.map(({ event }) => event.streamId), names);
  assert.deepEqual(found.map(({ link }) => Number(link.revision)), [0, 1, 2]);
}

async function aLiveSubscriptionToAllFiltersAndTellsWhereItIs(db) {
  const name = stream("news");
  const prefixes = [name];
  const subscription = db.subscribeToAll({ fromPosition: END, filter: streamNameFilter({ prefixes }) });
  const caughtUp = new Promise((resolve) => subscription.once("caughtUp", resolve));
  const seen = [];
  const reading = (async () => {
    for await (const { event } of subscription) if (seen.push(event.type) === 2) return;
  })();
  await within(caughtUp, "the subscription never caught up");
  await db.appendToStream(stream("other"), event(), { streamState: NO_STREAM });
  await db.appendToStream(name, [event({}, "One"), event({}, "Two")], { streamState: NO_STREAM });
  await within(reading, `only ${seen} was seen`);
  assert.deepEqual(seen, ["One", "Two"]);
  await subscription.unsubscribe();
}

/** Follows a stream, subscribing anew after the last event that it saw whenever the subscription breaks. */
class Listener {
  seen = [];

  constructor(connect, name, wanted) {
    this.done = (async () => {
      while (this.seen.length < wanted) {
        const db = connect();
        try {
          const fromRevision = this.seen.length ? this.seen.at(-1) : START;
          const subscription = db.subscribeToStream(name, { fromRevision });
          for await (const { event } of subscription) {
            this.seen.push(event.revision);
            if (this.seen.length === wanted) break;
          }
        } catch {
          await sleep(100);
        } finally {
          await db.dispose();
        }
      }
    })();
  }

  async waitFor(count) {
    for (let waited = 0; this.seen.length < count; waited += 1) {
      assert.ok(waited < PATIENCE_SECONDS * 20, `${this.seen.length} of ${count} seen`);
      await sleep(50);
    }
  }
}

async function aLiveSubscriptionOutlivesARestartOfTheServer(db, connect) {
  const name = stream("live");
  await db.appendToStream(name, event(), { streamState: NO_STREAM });
  const listener = new Listener(connect, name, 4);
  await listener.waitFor(1);
  await db.appendToStream(name, event(), { streamState: 0n });
  await listener.waitFor(2);
  const lines = createInterface({ input: process.stdin });
  const answer = new Promise((resolve) => lines.once("line", resolve));
  console.log("RESTART");
  assert.equal((await answer).trim(), "RESTARTED");
  lines.close();
  const later = connect();
  await patiently(() => later.appendToStream(name, event(), { streamState: 1n }));
  await later.appendToStream(name, event(), { streamState: 2n });
  await listener.waitFor(4);
  assert.deepEqual(listener.seen, [0n, 1n, 2n, 3n]);
  await within(listener.done, "the listener did not end");
  await later.dispose();
}

async function patiently(call) {
  for (let tried = 0; ; tried += 1) {
    try {
      return await call();
    } catch (error) {
      if (error.type === ErrorType.WRONG_EXPECTED_VERSION || tried === PATIENCE_SECONDS) throw error;
      await sleep(1000);
    }
  }
}

function within(promise, complaint) {
  const late = sleep(PATIENCE_SECONDS * 1000, undefined, { ref: false }).then(() => assert.fail(complaint));
  return Promise.race([promise, late]);
}

async function aDeletedStreamBeginsAgainWhereItEnded(db) {
  const name = stream("gone");
  await db.appendToStream(name, [event(), event()], { streamState: NO_STREAM });
  await refused(ErrorType.WRONG_EXPECTED_VERSION, db.deleteStream(name, { expectedRevision: 0n }));
  await db.deleteStream(name, { expectedRevision: 1n });
  await refused(ErrorType.STREAM_NOT_FOUND, read(db, name));
  await db.appendToStream(name, event(), { streamState: NO_STREAM });
  assert.deepEqual(await revisions(db, name), [2]);
}

async function aTombstoneIsForEver(db) {
  const name = stream("dead");
  await db.appendToStream(name, event(), { streamState: NO_STREAM });
  await db.tombstoneStream(name, { expectedRevision: 0n });
  await refused(ErrorType.STREAM_DELETED, read(db, name));
  await refused(ErrorType.STREAM_DELETED, db.appendToStream(name, event(), { streamState: ANY }));
}

// The client of this version does not send the revision that metadata are expected at; the other clients do.
async function metadataHidesTheOld(db) {
  const name = stream("short");
  await db.appendToStream(name, range(10).map((n) => event({ n })), { streamState: NO_STREAM });
  await db.setStreamMetadata(name, { maxCount: 3, colour: "red" });
  assert.deepEqual(await revisions(db, name), [7, 8, 9]);
  const told = await db.getStreamMetadata(name);
  assert.deepEqual(told.metadata, { maxCount: 3, colour: "red" });
  await db.setStreamMetadata(name, { truncateBefore: 9 });
  assert.deepEqual(await revisions(db, name), [9]);
}

async function twoConsumersShareAPersistentSubscription(db) {
  const [name, group] = [stream("work"), `workers${RUN}`];
  const settings = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START });
  await db.createPersistentSubscriptionToStream(name, group, settings);
  await refused(
    ErrorType.PERSISTENT_SUBSCRIPTION_EXISTS,
    db.createPersistentSubscriptionToStream(name, group, settings),
  );
  const consumers = range(2).map(() => db.subscribeToPersistentSubscriptionToStream(name, group, { bufferSize: 4 }));
  const done = [];
  const sent = range(20).map((n) => event({ n }));
  let finish;
  const enough = new Promise((resolve) => (finish = resolve));
  const consuming = consumers.map(async (consumer, number) => {
    let refusals = 0;
    for await (const received of consumer) {
      if (number === 0 && refusals === 0) {
        refusals += 1;
        await consumer.nack(RETRY, "once more", received);
        continue;
      }
      await consumer.ack(received);
      done.push([number, received.event.id]);
      if (done.length === sent.length) finish();
    }
  });
  const ready = Promise.all(consumers.map((consumer) => new Promise((resolve) => consumer.once("confirmation", resolve))));
  await within(ready, "the consumers were not let in");
  await db.appendToStream(name, sent, { streamState: NO_STREAM });
  await within(enough, `${done.length} of ${sent.length}`);
  assert.deepEqual(done.map(([, id]) => id).sort(), sent.map(({ id }) => id).sort(), "each once");
  assert.deepEqual([...new Set(done.map(([number]) => number))].sort(), [0, 1], "both had something to do");
  const info = await db.getPersistentSubscriptionToStreamInfo(name, group);
  assert.equal(info.groupName, group);
  assert.equal(info.eventSource, name);
  const listed = await db.listPersistentSubscriptionsToStream(name);
  assert.deepEqual(listed.map(({ groupName }) => groupName), [group]);
  await Promise.all(consumers.map((consumer) => consumer.unsubscribe()));
  await within(Promise.allSettled(consuming), "the consumers did not end");
  await db.deletePersistentSubscriptionToStream(name, group);
  await refused(
    ErrorType.PERSISTENT_SUBSCRIPTION_DOES_NOT_EXIST,
    db.getPersistentSubscriptionToStreamInfo(name, group),
  );
}

async function severalStreamsAreWrittenAtOnceOrNone(db) {
  const [left, right, lock] = [stream("left"), stream("right"), stream("lock")];
  const plain = () => jsonEvent({ type: "Drawn", data: {}, metadata: { by: "node" } });
  const both = (leftState, rightState) =>
    db.multiStreamAppend([
      { streamName: left, expectedState: leftState, events: [plain(), plain()] },
      { streamName: right, expectedState: rightState, events: [plain()] },
    ]);
  const written = await both(NO_STREAM, NO_STREAM);
  assert.deepEqual(written.responses.map(({ streamName, revision }) => [streamName, revision]), [[left, 1n], [right, 0n]]);
  await refused(ErrorType.WRONG_EXPECTED_VERSION, both(1n, NO_STREAM));
  assert.deepEqual([await revisions(db, left), await revisions(db, right)], [[0, 1], [0]]);

  // Interleaved, with a condition on a stream that is not written.
  const records = () => [left, right, left].map((streamName) => ({ streamName, record: plain() }));
  const unlocked = { type: STREAM_STATE, streamName: lock, expectedState: NO_STREAM };
  await db.appendRecords(records(), [unlocked]);
  assert.deepEqual([await revisions(db, left), await revisions(db, right)], [range(4), range(2)]);
  await db.appendToStream(lock, event(), { streamState: NO_STREAM });
  await refused(ErrorType.APPEND_CONSISTENCY_VIOLATION, db.appendRecords(records(), [unlocked]));
  assert.deepEqual(await revisions(db, left), range(4));
}

async function zhulusOwnStreamsAreWrittenByZhuluAlone(db) {
  const name = `constructionPermit-${randomUUID()}`;
  await refused(ErrorType.ACCESS_DENIED, db.appendToStream(name, event(), { streamState: NO_STREAM }));
  await refused(ErrorType.STREAM_NOT_FOUND, read(db, name));
}

async function onlyWhoKnowsThePasswordIsLetIn(address, ca, password) {
  const secured = (word) => KurrentDBClient.connectionString(`kurrentdb://admin:${word}@${address}?tlsCaFile=${ca}`);
  const wrong = secured(`not-${password}`);
  const refusal = await wrong.appendToStream(stream("plan"), event()).catch((error) => error);
  assert.ok(refusal instanceof Error, "a wrong password was let in");
  await wrong.dispose();
  const right = secured(password);
  await appendsWithEveryExpectedRevision(right);
  await theLogIsReadWithFilters(right);
  await zhulusOwnStreamsAreWrittenByZhuluAlone(right);
  await right.dispose();
}

const [address, ca, passwordFile] = process.argv.slice(2);
if (ca) {
  await onlyWhoKnowsThePasswordIsLetIn(address, ca, readFileSync(passwordFile, "utf8").trim());
} else {
  const connect = () => KurrentDBClient.connectionString(`kurrentdb://${address}?tls=false`);
  const db = connect();
  for (const story of [
    appendsWithEveryExpectedRevision,
    theSameAppendAgainIsAnsweredAndNotWritten,
    aBatchIsWrittenWholeOrNotAtAll,
    bytesThatAreNoJsonStayWhatTheyAre,
    aStreamIsReadBothWays,
    theLogIsReadWithFilters,
    aCategoryIsRead,
    aLiveSubscriptionToAllFiltersAndTellsWhereItIs,
    aDeletedStreamBeginsAgainWhereItEnded,
    aTombstoneIsForEver,
    metadataHidesTheOld,
    twoConsumersShareAPersistentSubscription,
    severalStreamsAreWrittenAtOnceOrNone,
    zhulusOwnStreamsAreWrittenByZhuluAlone,
  ]) {
    await story(db);
    console.log(`ok ${story.name}`);
  }
  await aLiveSubscriptionOutlivesARestartOfTheServer(db, connect);
  console.log(`ok ${aLiveSubscriptionOutlivesARestartOfTheServer.name}`);
  await db.dispose();
}
process.exit(0);
