/* What an element says of a document. */
import assert from "node:assert/strict";
import { test } from "node:test";
import northstar from "./load.cjs";

const element = (live, format, rest = {}) => ({ dataset: { live, format, ...rest } });
const document = { complete: true, net_pnl: -1234.56, costs: { total: 12, unpriced: true }, trading: { fees: 3, fills: 15234 } };
const text = (...given) => northstar.paint.text(element(...given), document, "UTC");

test("an element's text follows its format", () => {
  assert.equal(text("net_pnl", "money"), "\u2212$1,234.56");
  assert.equal(text("trading.fees", "minus"), "\u2212$3.00");
  assert.equal(text("trading.fills", "count"), "15,234");
  assert.equal(text("costs.total", "atleast"), "\u2265\u00a0$12.00");
});

test("what is unknown is never shown as nought", () => {
  assert.equal(text("cash.equity", "money"), "\u2013");
});

test("a net is not shown before every source has told its whole history", () => {
  const net = element("net_pnl", "money", { needs: "complete", lacking: "incomplete" });
  assert.equal(northstar.paint.text(net, { ...document, complete: false }, "UTC"), "incomplete");
});
