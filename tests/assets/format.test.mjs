/* How figures read: the same cases as tests/components/test_format.py. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import northstar from "./load.cjs";

const { format } = northstar;
const cases = JSON.parse(readFileSync(new URL("./figures.json", import.meta.url)));
const LOS_ANGELES = "America/Los_Angeles";
const HOUR = 3600000;

for (const { value, money, signed, sign } of cases) {
  test(`${value} reads ${money} and ${signed}`, () => {
    const number = JSON.parse(value);
    assert.equal(format.money(number), money);
    assert.equal(format.money(number, true), signed);
    assert.equal(format.sign(number), sign);
  });
}

test("every cent of a wide range reads as itself", () => {
  for (let cents = -123456; cents <= 123456; cents += 7) {
    const plain = (Math.abs(cents) / 100).toFixed(2);
    const digits = format.money(Number((cents / 100).toFixed(2))).replace(/[^0-9.]/g, "");
    assert.equal(digits, plain);
  }
});

test("counts have their thousands apart and keep fractions", () => {
  assert.equal(format.count(15234), "15,234");
  assert.equal(format.count(-1234.5), "\u22121,234.5");
  assert.equal(format.count(7), "7");
});

test("ages are in the largest whole unit and never negative", () => {
  const cases = [[-5000, "0 s"], [59999, "59 s"], [60000, "1 min"], [HOUR, "1 h"], [47 * HOUR, "47 h"], [48 * HOUR, "2 d"]];
  for (const [milliseconds, text] of cases) assert.equal(format.age(milliseconds), text);
});

test("clock times and dates are those of the display zone", () => {
  const at = Date.parse("2026-09-03T06:05:09Z");
  assert.equal(format.time(at, LOS_ANGELES), "23:05:09");
  assert.equal(format.hourMinute(at, "UTC"), "06:05");
  assert.equal(format.date(at, LOS_ANGELES), "2 Sep 2026");
});

test("midnight is 00, not 24", () => {
  assert.equal(format.time(Date.parse("2026-11-21T08:00:00Z"), LOS_ANGELES), "00:00:00");
});

const starts = [
  ["2026-11-21T20:00:00.250Z", "2026-11-21T08:00:00Z", LOS_ANGELES],
  ["2026-03-08T20:00:00Z", "2026-03-08T08:00:00Z", LOS_ANGELES],
  ["2026-11-01T20:00:00Z", "2026-11-01T07:00:00Z", LOS_ANGELES],
  ["2026-11-02T07:59:59Z", "2026-11-01T07:00:00Z", LOS_ANGELES],
  ["2026-06-01T00:00:00Z", "2026-05-31T18:30:00Z", "Asia/Kolkata"],
];
for (const [at, start, zone] of starts) {
  test(`the day of ${at} in ${zone} begins at ${start}`, () => {
    assert.equal(format.dayStart(Date.parse(at), zone), Date.parse(start));
  });
}

test("the offset of a zone follows its summer time", () => {
  assert.equal(format.offset(Date.parse("2026-07-01T12:00:00.5Z"), LOS_ANGELES), -7 * HOUR);
  assert.equal(format.offset(Date.parse("2026-12-01T12:00:00Z"), LOS_ANGELES), -8 * HOUR);
});
