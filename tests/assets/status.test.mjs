/* What the page says about itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import northstar from "./load.cjs";

const { badge, banner, oldest } = northstar.status;
const AT = Date.parse("2026-11-21T18:40:00Z");
const TICK = 10000;

function state(changes = {}, document = {}) {
  const base = northstar.ladder.initial();
  const as_of = new Date(AT).toISOString();
  const held = { ...base.held, seq: 1, epoch: "e", document: { as_of, complete: true, ...document } };
  return { ...base, held, reach: "up", heardAt: AT, ...changes };
}
const main = (rung, heardAt = AT) => ({ id: 1, rung, step: 1, openedAt: AT - 9000, heardAt, aliveAt: heardAt, words: 1 });

test("live is what is heard, not what is open", () => {
  const live = state({ main: main(0) });
  assert.deepEqual(badge(live, AT + 12000, "UTC"), { state: "live-ws", text: "Live" });
  assert.equal(badge(live, AT + 12001, "UTC").text, "Reconnecting");
});

test("the badge names the transport", () => {
  assert.deepEqual(badge(state({ main: main(1) }), AT, "UTC"), { state: "live-sse", text: "Live (SSE)" });
  assert.deepEqual(badge(state({ main: main(2) }), AT, "UTC"), { state: "polling", text: "Polling" });
});

test("offline says since when, by the clock of the display zone", () => {
  const off = state({ reach: "down", heardAt: AT });
  assert.deepEqual(badge(off, AT, "America/Los_Angeles"), { state: "offline", text: "Offline since 10:40" });
});

test("fresh figures need no banner", () => {
  assert.equal(banner(state({ main: main(0) }), AT + 35000, TICK, "UTC"), null);
});

test("older than three ticks and five seconds by the server's clock is said, even when live", () => {
  const live = state({ main: main(0, AT + 35001) });
  assert.deepEqual(banner(live, AT + 35001, TICK, "UTC"), { kind: "stale", text: "No new figures since 18:40, 35 s ago." });
  const ahead = { ...live, offset: -35001 };
  assert.equal(banner(ahead, AT + 35001, TICK, "UTC"), null);
});

test("before the first figures the page is starting", () => {
  const none = { ...state({ main: main(0) }), held: northstar.messages.EMPTY };
  assert.equal(banner(none, AT, TICK, "UTC").kind, "starting");
});

test("a session the server ended says why", () => {
  const barred = state({ barred: { code: "expired", reason: "signed out" } });
  assert.equal(badge(barred, AT, "UTC").state, "offline");
  assert.match(banner(barred, AT, TICK, "UTC").text, /signed out/);
});

test("the oldest source is told, without those that are off", () => {
  const at = (seconds) => new Date(AT - seconds * 1000).toISOString();
  const sources = { kalshi: { status: "ok", as_of: at(3) }, anthropic: { status: "stale", as_of: at(130) }, revenue: { status: "off", as_of: at(9999) } };
  assert.deepEqual(oldest(state({}, { sources }), AT), { name: "anthropic", age: "2 min" });
  assert.equal(oldest(state({}, { sources: {} }), AT), null);
});
