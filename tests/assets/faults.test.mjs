/* The ladder under faults: square waves, and random schedules that must end at the server's document. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { converged, started } from "./world.mjs";

for (const [name, bad] of [["refused", false], ["hanging", "hang"]]) {
  for (const period of [40, 100, 130, 200, 330]) {
    test(`a socket that is ${name} every other ${period} seconds changes rung three times in ten minutes at most`, () => {
      const world = started({ seed: period });
      const rungs = [];
      for (let wave = 0; wave * period < 3600; wave++) {
        world.up.websocket = wave % 2 ? bad : true;
        if (wave % 2) world.drop("websocket");
        for (let second = 0; second < period; second++) {
          world.run(1000);
          if (rungs.at(-1)?.rung !== world.state.rung) rungs.push({ rung: world.state.rung, at: world.at });
        }
      }
      const changes = rungs.slice(1).map((entry) => entry.at);
      for (const at of changes) {
        const within = changes.filter((other) => other > at - 600000 && other <= at).length;
        assert.ok(within <= 3, `${within} changes in ten minutes`);
      }
    });
  }
}

test("never more than one fetch is in flight", () => {
  const world = started({ seed: 3, faults: { delay: 4000, loss: 0.2 } });
  let flying = 0;
  const fetch = world.fetch.bind(world);
  world.fetch = (effect) => {
    flying += 1;
    assert.equal(flying, 1);
    fetch(effect);
  };
  const dispatch = world.dispatch.bind(world);
  world.dispatch = (event) => {
    if (event.type === "fetched" || event.type === "fetch_failed") flying -= 1;
    dispatch(event);
  };
  flying = 1;
  world.run(120000, { every: 700 });
});

for (let seed = 1; seed <= 60; seed++) {
  test(`any schedule of loss, doubling, delay, cuts, sleep and new epochs converges (seed ${seed})`, () => {
    const world = started({ seed, faults: { loss: 0.25, twice: 0.3, delay: 2500 } });
    const chance = world.random;
    for (let act = 0; act < 40; act++) {
      const kind = chance();
      if (kind < 0.12) world.renew();
      else if (kind < 0.3) world.drop(chance() < 0.5 ? "websocket" : "sse");
      else if (kind < 0.5) world.up[["websocket", "sse", "http"][Math.floor(chance() * 3)]] = chance() < 0.6;
      else if (kind < 0.6) world.up.websocket = "hang";
      else if (kind < 0.7) world.asleep = !world.asleep;
      else if (kind < 0.8) world.dispatch({ type: chance() < 0.5 ? "hidden" : "visible" });
      else if (kind < 0.85) world.open.clear();
      world.run(1000 + chance() * 20000, { every: 100 + Math.floor(chance() * 20) * 100 });
    }
    world.asleep = false;
    Object.assign(world.faults, { loss: 0, twice: 0, delay: 50 });
    Object.assign(world.up, { websocket: true, sse: true, http: true });
    world.dispatch({ type: "visible" });
    world.run(60000, { every: 0 });
    converged(world);
    assert.notEqual(world.badge(), "offline");
    assert.notEqual(world.badge(), "reconnecting");
  });
}
