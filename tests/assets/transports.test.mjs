/* The transports' own rules. */
import assert from "node:assert/strict";
import { test } from "node:test";
import northstar from "./load.cjs";

function mounted() {
  const props = [];
  const reports = [];
  globalThis.location = { href: "https://dash.example/" };
  globalThis.dash_clientside.set_props = (id, given) => props.push({ id, ...given });
  globalThis.WebSocket = { CLOSED: 3 };
  return { props, reports, socket: northstar.transports.componentSocket((event) => reports.push(event)) };
}

test("the socket component is opened by its address and closed by an empty one", () => {
  const { props, socket } = mounted();
  socket.open({ id: 4, epoch: "e", after: 7 });
  socket.close({ id: 4 });
  assert.deepEqual(props.map(({ url }) => url), ["wss://dash.example/ws/pnl?epoch=e&after=7&connection=4", ""]);
});

test("what the component tells of a socket closed before is not reported", () => {
  const { reports, socket } = mounted();
  const early = performance.now() - 1000;
  socket.open({ id: 5, epoch: "", after: 0 });
  socket.message({ data: "{}", timeStamp: early });
  socket.state({ readyState: 3, timeStamp: early });
  socket.state({ readyState: 0 });
  assert.deepEqual(reports, []);
  socket.message({ data: '{"type":"beat"}', timeStamp: performance.now() + 1 });
  socket.state({ readyState: 3, timeStamp: performance.now() + 1 });
  assert.deepEqual(reports.map(({ type, id }) => [type, id]), [["message", 5], ["closed", 5]]);
});

test("closing a socket that was replaced leaves its successor open", () => {
  const { props, socket } = mounted();
  socket.open({ id: 6, epoch: "", after: 0 });
  socket.open({ id: 7, epoch: "", after: 0 });
  socket.close({ id: 6 });
  assert.equal(props.length, 2);
});

async function asked(effect, answer) {
  const calls = [];
  globalThis.fetch = async (address) => {
    calls.push(address);
    if (!answer) throw new TypeError("no network");
    return { status: 200, ok: true, headers: new Headers(), json: async () => ({}), ...answer };
  };
  let reported;
  await northstar.transports.ask(effect, (event) => (reported = event));
  return { calls, reported };
}

test("a fetch with a position asks for what is missing", async () => {
  const messages = [{ type: "beat" }];
  const { calls, reported } = await asked({ id: 2, epoch: "e", after: 9 }, { json: async () => ({ messages }) });
  assert.match(calls[0], /\?epoch=e&after=9/);
  assert.deepEqual(reported, { type: "fetched", id: 2, messages });
});

test("a fetch without a position takes the plain document as a snapshot", async () => {
  const body = { epoch: "e", seq: 3, net_pnl: 1 };
  const { calls, reported } = await asked({ id: 2, epoch: "", after: 0 }, { json: async () => body });
  assert.equal(calls[0], "/api/pnl/current");
  assert.deepEqual(reported.messages, [{ type: "snapshot", epoch: "e", seq: 3, data: body }]);
});

test("a refused fetch reports its status and when to come back, a broken one neither", async () => {
  const refused = { status: 503, ok: false, headers: new Headers({ "Retry-After": "2" }) };
  assert.deepEqual((await asked({ id: 2 }, refused)).reported, { type: "fetch_failed", id: 2, status: 503, retryAfter: 2 });
  assert.deepEqual((await asked({ id: 2 }, null)).reported, { type: "fetch_failed", id: 2, status: undefined, retryAfter: undefined });
});
