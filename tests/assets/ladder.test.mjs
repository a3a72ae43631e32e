/* The ladder: what it opens, when it falls and climbs, what it keeps. */
import assert from "node:assert/strict";
import { test } from "node:test";
import northstar from "./load.cjs";
import { World, converged, started } from "./world.mjs";

test("boot fetches once beside the socket", () => {
  const world = started();
  assert.deepEqual(world.log.map((effect) => effect.type), ["open", "fetch"]);
  assert.equal(world.log[0].transport, "websocket");
});

test("a good socket is live and follows the server", () => {
  const world = started().run(60000);
  assert.equal(world.badge(), "live-ws");
  assert.equal(world.opened("websocket").length, 1);
  converged(world);
});

test("a refused socket falls to server-sent events after two failures, each judged by a fetch", () => {
  const world = started({ faults: { up: { websocket: false, sse: true, http: true } } }).run(5000);
  assert.equal(world.badge(), "live-sse");
  assert.equal(world.opened("websocket").length, 2);
  converged(world);
});

test("a hanging socket falls after five seconds without waiting for a second failure", () => {
  const world = started({ faults: { up: { websocket: "hang", sse: true, http: true } } }).run(6500);
  assert.equal(world.badge(), "live-sse");
  assert.equal(world.opened("websocket").length, 1);
});

test("without both streams it polls and still follows the server", () => {
  const world = started({ faults: { up: { websocket: false, sse: "hang", http: true } } }).run(40000);
  assert.equal(world.badge(), "polling");
  converged(world);
});

test("an unreachable server is offline on the same rung, and backs off", () => {
  const world = started({ faults: { up: { websocket: false, sse: false, http: false } } }).run(120000);
  assert.equal(world.badge(), "offline");
  assert.equal(world.opened("sse").length, 0);
  const tries = world.opened("websocket").length;
  assert.ok(tries >= 5 && tries <= 40, `${tries} tries in two minutes`);
});

test("a restarted server is found again by itself", () => {
  const world = started().run(30000);
  Object.assign(world.up, { websocket: false, sse: false, http: false });
  world.drop("websocket");
  world.run(20000);
  assert.equal(world.badge(), "offline");
  Object.assign(world.up, { websocket: true, sse: true, http: true });
  world.run(31000);
  assert.equal(world.badge(), "live-ws");
  converged(world);
});

test("the last document stays while offline", () => {
  const world = started().run(30000);
  const before = world.state.held.document;
  Object.assign(world.up, { websocket: false, sse: false, http: false });
  world.drop("websocket");
  world.run(30000, { every: 0 });
  assert.deepEqual(world.state.held.document, before);
});

test("a half-open socket is found by its silence in twelve seconds", () => {
  const world = started().run(20000);
  world.open.clear();
  world.run(14000);
  assert.equal(world.badge(), "live-ws");
  assert.equal(world.opened("websocket").length, 2);
});

test("a lower rung probes the one above and climbs after a trial of thirty seconds", () => {
  const world = started({ faults: { up: { websocket: false, sse: true, http: true } } }).run(10000);
  world.up.websocket = true;
  world.run(70000);
  assert.equal(world.badge(), "live-sse");
  assert.equal(world.open.size, 2);
  world.run(30000);
  assert.equal(world.badge(), "live-ws");
  assert.equal(world.open.size, 1);
  converged(world);
});

test("a probe that fails leaves the lower rung alone", () => {
  const world = started({ faults: { up: { websocket: false, sse: true, http: true } } }).run(300000);
  assert.equal(world.badge(), "live-sse");
  assert.equal(world.opened("sse").length, 1);
  assert.ok(world.opened("websocket").length <= 7);
});

test("after falling back it waits ten minutes before it probes again", () => {
  const world = started({ faults: { up: { websocket: false, sse: true, http: true } } }).run(10000);
  world.up.websocket = true;
  world.run(110000);
  assert.equal(world.badge(), "live-ws");
  world.up.websocket = "hang";
  world.drop("websocket");
  world.run(10000);
  assert.equal(world.badge(), "live-sse");
  const probes = world.opened("websocket").length;
  world.run(585000);
  assert.equal(world.opened("websocket").length, probes);
  world.run(30000);
  assert.equal(world.opened("websocket").length, probes + 1);
});

test("two falls in quick succession are one: one climb follows soon, the next ten minutes after the fall", () => {
  const world = started({ faults: { up: { websocket: false, sse: "hang", http: true } } }).run(20000);
  assert.equal(world.badge(), "polling");
  Object.assign(world.up, { websocket: true, sse: true });
  world.run(100000);
  assert.equal(world.badge(), "live-sse");
  world.run(400000);
  assert.equal(world.badge(), "live-sse");
  world.run(160000);
  assert.equal(world.badge(), "live-ws");
});

test("bye is no failure: it comes back after the time it was told, at the top", () => {
  const world = started({ faults: { up: { websocket: false, sse: true, http: true } } }).run(10000);
  world.up.websocket = true;
  const bye = { type: "bye", code: "shutdown", reason: "restart", retry_ms: 2000 };
  world.dispatch({ type: "message", id: world.state.main.id, message: bye });
  assert.equal(world.badge(), "reconnecting");
  const said = world.at;
  world.run(4500);
  const back = world.opened("websocket").at(-1).at - said;
  assert.ok(back >= 2000 && back <= 4200, `back after ${back} ms`);
  assert.equal(world.badge(), "live-ws");
  assert.equal(world.state.failures, 0);
});

test("bye without return stays away", () => {
  const world = started().run(3000);
  const bye = { type: "bye", code: "expired", reason: "signed out", retry_ms: -1 };
  world.dispatch({ type: "message", id: world.state.main.id, message: bye });
  world.dispatch({ type: "online" });
  world.run(120000);
  assert.equal(world.badge(), "offline");
  assert.equal(world.opened("websocket").length, 1);
});

test("nothing comes back before the time a bye named, even when the tab is shown", () => {
  const world = started().run(3000);
  const bye = { type: "bye", code: "too_many", reason: "full", retry_ms: 20000 };
  world.dispatch({ type: "message", id: world.state.main.id, message: bye });
  world.dispatch({ type: "visible" });
  world.run(19000);
  assert.equal(world.opened("websocket").length, 1);
  world.run(25000);
  assert.equal(world.badge(), "live-ws");
});

test("a gap is repaired by one fetch and never by reopening the socket", () => {
  const world = started().run(15000);
  for (let missed = 0; missed < 30; missed++) world.server.advance();
  const fetches = world.log.filter((effect) => effect.type === "fetch").length;
  for (let burst = 0; burst < 5; burst++) world.advance();
  world.run(1000);
  assert.equal(world.log.filter((effect) => effect.type === "fetch").length, fetches + 1);
  assert.equal(world.opened("websocket").length, 1);
  converged(world);
});

test("a beat that names an unseen number is a gap", () => {
  const world = started().run(15000);
  world.server.advance();
  world.run(6000, { every: 0 });
  converged(world);
});

test("words of closed connections are ignored", () => {
  const world = started().run(5000);
  const before = world.state.held;
  world.dispatch({ type: "message", id: 999, message: { ...world.server.snapshot(world.at), seq: 5000 } });
  world.dispatch({ type: "closed", id: 999 });
  assert.deepEqual(world.state.held, before);
  assert.equal(world.badge(), "live-ws");
});

test("a new epoch replaces the document, and a straggler never brings the old one back", () => {
  const world = started().run(25000);
  const old = world.server.snapshot(world.at);
  world.run(1000);
  world.renew();
  world.run(1000);
  converged(world);
  world.dispatch({ type: "message", id: world.state.main.id, message: old });
  world.run(1000);
  converged(world);
});

test("a server whose clock was set back is still believed", () => {
  const world = started().run(25000);
  world.renew();
  const behind = { ...world.server.snapshot(world.at - 3600000) };
  world.queue = [];
  world.dispatch({ type: "message", id: world.state.main.id, message: behind });
  world.run(3000);
  converged(world);
});

test("waking after an hour resumes at once without counting a failure", () => {
  const world = started().run(30000);
  world.asleep = true;
  world.run(3600000);
  world.asleep = false;
  world.drop("websocket");
  world.queue = [];
  world.run(1500);
  assert.equal(world.badge(), "live-ws");
  assert.equal(world.state.failures, 0);
  converged(world);
});

test("a shown tab resumes at once instead of waiting out its back-off", () => {
  const world = started({ faults: { up: { websocket: false, sse: false, http: false } } }).run(90000);
  Object.assign(world.up, { websocket: true, sse: true, http: true });
  world.dispatch({ type: "visible" });
  world.run(300);
  assert.equal(world.badge(), "live-ws");
});

test("a hidden tab polls every thirty seconds and a shown one every five", () => {
  const world = started({ faults: { up: { websocket: false, sse: false, http: true } } }).run(20000);
  world.dispatch({ type: "hidden" });
  world.dispatch({ type: "visible" });
  const paces = world.log.filter((effect) => effect.type === "pace").map((effect) => effect.milliseconds);
  assert.deepEqual(paces, [5000, 30000, 5000]);
});

test("two missed polls mean that all rungs failed: it starts again at the top", () => {
  const world = started({ faults: { up: { websocket: false, sse: false, http: true } } }).run(20000);
  assert.equal(world.badge(), "polling");
  world.up.http = false;
  world.run(15000);
  assert.equal(world.state.rung, 0);
  assert.equal(world.badge(), "offline");
  Object.assign(world.up, { websocket: true, http: true });
  world.run(31000);
  assert.equal(world.badge(), "live-ws");
});

test("a server without figures yet is starting, not offline, and becomes live by itself", () => {
  const world = new World({ faults: { up: { websocket: false, sse: false, http: true } } });
  world.fetch = ({ id }) => world.post(20, { type: "fetch_failed", id, status: 503, retryAfter: 1 });
  world.dispatch({ type: "boot", hidden: false });
  world.run(10000, { every: 0 });
  assert.equal(world.badge(), "reconnecting");
  assert.equal(northstar.status.banner(world.state, world.at, 10000, "UTC").kind, "starting");
  delete world.fetch;
  Object.assign(world.up, { websocket: true, sse: true });
  world.run(40000);
  assert.equal(world.badge(), "live-ws");
});

test("figures kept from an earlier visit are shown until the server speaks", () => {
  const world = new World({ faults: { up: { websocket: false, sse: false, http: false } } });
  const saved = { epoch: "epoch-0", seq: 7, document: { net_pnl: 1 }, heardAt: world.at - 60000 };
  world.dispatch({ type: "boot", hidden: false, saved });
  world.run(5000);
  assert.equal(world.state.held.document.net_pnl, 1);
  assert.equal(world.badge(), "offline");
  Object.assign(world.up, { websocket: true, http: true });
  world.run(31000);
  converged(world);
});

test("figures kept from an earlier visit give way to a server that has none yet", () => {
  const world = new World({ faults: { up: { websocket: false, sse: false, http: true } } });
  world.fetch = ({ id }) => world.post(20, { type: "fetch_failed", id, status: 503, retryAfter: 5 });
  const saved = { epoch: "epoch-0", seq: 7, document: { net_pnl: 1 }, heardAt: world.at - 60000 };
  world.dispatch({ type: "boot", hidden: false, saved });
  world.run(1000, { every: 0 });
  assert.equal(world.state.held.document, null);
});

test("a document brought by the page is taken unless it is older than what is held", () => {
  const world = new World();
  for (let number = 0; number < 5; number++) world.server.advance();
  const early = { ...world.server.snapshot(0), sent_at: undefined };
  world.dispatch({ type: "served", message: early });
  converged(world);
  world.dispatch({ type: "boot", hidden: false });
  assert.equal(world.log[0].after, world.server.seq);
  world.run(15000);
  world.dispatch({ type: "served", message: early });
  converged(world);
});

test("a session that may not read stays away", () => {
  const world = new World({ faults: { up: { websocket: false, sse: false, http: true } } });
  world.fetch = ({ id }) => world.post(20, { type: "fetch_failed", id, status: 401 });
  world.dispatch({ type: "boot", hidden: false });
  world.run(60000);
  assert.equal(world.badge(), "offline");
  assert.ok(world.opened("websocket").length <= 2);
});
