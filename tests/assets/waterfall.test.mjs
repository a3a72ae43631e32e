/* Bars: the same cases as tests/components/test_cards.py. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import northstar from "./load.cjs";

const cases = JSON.parse(readFileSync(new URL("./bars.json", import.meta.url)));
for (const { revenue, cost, trading, bars } of cases) {
  test(`revenue ${revenue}, cost ${cost} and trading ${trading} stand where they should`, () => {
    const made = northstar.waterfall.bars(revenue, cost, trading);
    assert.deepEqual(made.map(({ from, to }) => [from, to].map((share) => Number(share.toFixed(2)))), bars);
  });
}
