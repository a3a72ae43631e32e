/* The bars from revenue over cost and trading to net, as shares of one common scale. */
"use strict";
(function (northstar) {
  /* → [{from, to}] in percent of the scale, for revenue, cost, trading, net. */
  function bars(revenue, cost, trading) {
    const levels = [0, revenue, revenue - cost, revenue - cost + trading];
    const low = Math.min(...levels);
    const span = Math.max(...levels) - low || 1;
    const share = (value) => (100 * (value - low)) / span;
    const steps = [[0, 1], [1, 2], [2, 3]].map(([a, b]) => [levels[a], levels[b]]);
    return [...steps, [0, levels[3]]].map(([a, b]) => ({ from: share(Math.min(a, b)), to: share(Math.max(a, b)) }));
  }

  northstar.waterfall = { bars };
  if (typeof module === "object") module.exports = northstar.waterfall;
})((globalThis.northstar = globalThis.northstar || {}));
