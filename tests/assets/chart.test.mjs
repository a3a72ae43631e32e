/* The curve of the day: its end is the card, its minutes are the rollups. */
import assert from "node:assert/strict";
import { test } from "node:test";
import northstar from "./load.cjs";

const { point, columns, tail, missed, day, caption } = northstar.chart;
const MINUTE = 60000;
const START = Date.parse("2026-11-21T08:00:00Z");
const row = (minute, net, unrealized) => ({ time: new Date(START + minute * MINUTE).toISOString(), net_close: net, unrealized });
const figures = { as_of: new Date(START + 150000).toISOString(), net_pnl: 12.345678, trading: { unrealized: 2 } };

test("the end of the tail is the document's own net at its own instant", () => {
  const past = columns([row(0, 10, 1), row(1, 11, 1.5), row(2, 11.9, 1.8)], START + 150000);
  const points = tail(past, point(figures, 0), 0);
  assert.equal(points.at(-1).net, figures.net_pnl);
  assert.equal(points.at(-1).x, START + 150000);
});

test("a minute is drawn where it ends, and only once it is over", () => {
  const past = columns([row(0, 10, 1), row(1, 11, 1.5), row(2, 11.9, 1.8)], START + 150000);
  assert.deepEqual(past, { start: START + MINUTE, end: START + 2 * MINUTE, net: [10, 11], base: [9, 9.5] });
});

test("the tail begins where the closed minutes end", () => {
  const past = columns([row(0, 10, 1), row(1, 11, 1.5)], START + 150000);
  assert.deepEqual(tail(past, point(figures, 500), 500)[0], { x: START + 2 * MINUTE + 500, net: 11, base: 9.5 });
});

test("without a closed minute the tail is the point of now", () => {
  assert.equal(tail(columns([], START), point(figures, 0), 0).length, 1);
});

test("a distance of more than three ticks and grace is a gap, so is another day", () => {
  const meta = { gap: 35000, end: START + 24 * 60 * MINUTE, offset: 0 };
  assert.ok(!missed([{ x: START + 35000 }], START, meta));
  assert.ok(missed([{ x: START + 35001 }], START, meta));
  assert.ok(missed([{ x: meta.end }], meta.end - 1000, meta));
  assert.ok(missed([{ x: START }], null, meta));
});

test("after midnight of the display zone another day begins, of 25 hours in November", () => {
  const zone = "America/Los_Angeles";
  const start = Date.parse("2026-10-31T07:00:00Z");
  const next = day({ zone, start, end: start + 24 * 60 * MINUTE, offset: -7 * 60 * MINUTE }, Date.parse("2026-11-01T07:00:05Z"));
  assert.equal(next.start, Date.parse("2026-11-01T07:00:00Z"));
  assert.equal(next.end - next.start, 25 * 60 * MINUTE);
});

test("the axis says its distance from UTC", () => {
  assert.equal(caption({ zone: "Asia/Kolkata", offset: 330 * MINUTE }), "Asia/Kolkata (UTC+05:30)");
  assert.equal(caption({ zone: "America/Los_Angeles", offset: -480 * MINUTE }), "America/Los_Angeles (UTC\u221208:00)");
});
