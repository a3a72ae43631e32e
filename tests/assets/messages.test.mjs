/* Merge patches and the rules by which a message becomes part of what is held. */
import assert from "node:assert/strict";
import { test } from "node:test";
import northstar from "./load.cjs";

const { EMPTY, merge, take, lookup } = northstar.messages;

/* The cases of RFC 7396, appendix A, that a document of ours can meet. */
const patches = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [{ a: "b" }, ["c"], ["c"]],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];
for (const [target, patch, result] of patches) {
  test(`${JSON.stringify(target)} with ${JSON.stringify(patch)} is ${JSON.stringify(result)}`, () => {
    const before = structuredClone(target);
    assert.deepEqual(merge(target, patch), result);
    assert.deepEqual(target, before);
  });
}

test("what a patch does not touch keeps its identity", () => {
  const target = { a: { b: 1 }, c: { d: 1 } };
  assert.equal(merge(target, { a: { b: 2 } }).c, target.c);
});

const source = { words: 0, step: 5 };
const held = { epoch: "e", seq: 10, document: { net: 1, old: 1 }, sentAt: 1000, step: 1 };

test("a delta applies from prev up to just below its own number", () => {
  const delta = { type: "delta", epoch: "e", seq: 12, prev: 10, sent_at: 2000, data: { net: 2, old: null } };
  const taken = take(held, source, delta, 6);
  assert.deepEqual(taken.held.document, { net: 2 });
  assert.equal(taken.held.seq, 12);
  assert.ok(taken.known);
});

test("a delta whose prev is newer than what is held is a gap and changes nothing", () => {
  const delta = { type: "delta", epoch: "e", seq: 12, prev: 11, sent_at: 2000, data: { net: 2 } };
  assert.deepEqual(take(held, source, delta, 6), { held, known: false });
});

test("what is older or the same is known and changes nothing", () => {
  for (const type of ["snapshot", "delta", "beat"]) {
    const message = { type, epoch: "e", seq: 10, prev: 1, sent_at: 9000, data: { net: 9 } };
    assert.deepEqual(take(held, source, message, 6), { held, known: true });
  }
});

test("a beat that names a newer number is a gap", () => {
  assert.ok(!take(held, source, { type: "beat", epoch: "e", seq: 11 }, 6).known);
});

test("a delta of another epoch never applies", () => {
  const delta = { type: "delta", epoch: "f", seq: 12, prev: 10, sent_at: 2000, data: { net: 2 } };
  assert.deepEqual(take(held, source, delta, 6), { held, known: false });
});

test("another epoch's snapshot replaces all when the server said it later", () => {
  const snapshot = { type: "snapshot", epoch: "f", seq: 3, sent_at: 1001, data: { net: 7 } };
  const taken = take(held, { words: 4, step: 0 }, snapshot, 6);
  assert.deepEqual(taken.held, { epoch: "f", seq: 3, document: { net: 7 }, sentAt: 1001, step: 6 });
});

test("an earlier snapshot of another epoch counts only as first word of a source asked since", () => {
  const snapshot = { type: "snapshot", epoch: "f", seq: 3, sent_at: 1, data: { net: 7 } };
  assert.ok(!take(held, { words: 1, step: 5 }, snapshot, 6).known);
  assert.ok(!take(held, { words: 0, step: 1 }, snapshot, 6).known);
  assert.ok(take(held, { words: 0, step: 2 }, snapshot, 6).known);
});

test("a delta before any snapshot is a gap", () => {
  const delta = { type: "delta", epoch: null, seq: 1, prev: -1, data: {} };
  assert.ok(!take(EMPTY, source, delta, 1).known);
});

test("members are found by dotted path, absent ones are undefined", () => {
  assert.equal(lookup({ a: { b: 0 } }, "a.b"), 0);
  assert.equal(lookup({ a: 1 }, "a.b"), undefined);
  assert.equal(lookup(null, "a"), undefined);
});
