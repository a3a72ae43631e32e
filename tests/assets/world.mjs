/* A seeded world for the ladder: a server that numbers documents, and a network that hurts it. */
import assert from "node:assert/strict";
import northstar from "./load.cjs";

export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/* A reducer that changes its input throws. */
function frozen(value) {
  if (value && typeof value === "object" && !Object.isFrozen(value)) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

function difference(before, after) {
  const patch = {};
  for (const key of Object.keys(before)) if (!(key in after)) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    if (JSON.stringify(before[key]) === JSON.stringify(value)) continue;
    const both = [before[key], value].every((side) => side && typeof side === "object" && !Array.isArray(side));
    patch[key] = both ? difference(before[key], value) : value;
  }
  return patch;
}

/* One patch that does what both do, for whoever stands between them as well. */
function composed(first, second) {
  const result = { ...first };
  for (const [key, value] of Object.entries(second)) {
    const both = [first[key], value].every((side) => side && typeof side === "object" && !Array.isArray(side));
    result[key] = both ? composed(first[key], value) : value;
  }
  return result;
}

/* Numbers documents and answers as delivery/ does: overlapping deltas, resume, snapshots. */
export class Server {
  constructor(random) {
    this.random = random;
    this.epochs = 0;
    this.renew();
  }

  renew() {
    this.epochs += 1;
    this.epoch = "epoch-" + this.epochs;
    this.documents = [{ net_pnl: 0, trading: { realized: 0 }, alerts: [] }];
  }

  get seq() {
    return this.documents.length;
  }

  get document() {
    return this.documents[this.seq - 1];
  }

  advance() {
    const figure = Math.round(this.random() * 1e6) / 1e4;
    const next = { ...this.document, net_pnl: figure, trading: { ...this.document.trading, realized: figure } };
    if (this.random() < 0.3) next.cash = { balance: figure };
    else if (this.random() < 0.3) delete next.cash;
    if (this.random() < 0.2) next.alerts = [{ id: String(this.seq) }];
    this.documents.push(next);
  }

  snapshot(at) {
    return { type: "snapshot", epoch: this.epoch, seq: this.seq, sent_at: at, data: this.document };
  }

  delta(at, prev) {
    let data = {};
    for (let seq = prev; seq < this.seq; seq++) {
      data = composed(data, difference(this.documents[seq - 1], this.documents[seq]));
    }
    return { type: "delta", epoch: this.epoch, seq: this.seq, prev, sent_at: at, data };
  }

  beat(at) {
    return { type: "beat", epoch: this.epoch, seq: this.seq, sent_at: at, age_ms: 0 };
  }

  broadcast(at) {
    return this.delta(at, Math.max(1, this.seq - 10));
  }

  resume(at, epoch, after) {
    if (epoch !== this.epoch || after < 1 || after < this.seq - 300) return this.snapshot(at);
    return after >= this.seq ? this.beat(at) : this.delta(at, after);
  }
}

/* Runs the reducer against a server over a network given by `faults`, by events in time order. */
export class World {
  constructor({ seed = 1, faults = {} } = {}) {
    this.random = generator(seed);
    this.server = new Server(this.random);
    this.faults = { up: { websocket: true, sse: true, http: true }, loss: 0, twice: 0, delay: 50, ...faults };
    this.at = 1_000_000;
    this.state = northstar.ladder.initial();
    this.queue = [];
    this.open = new Map();
    this.log = [];
    this.order = 0;
    this.asleep = false;
    this.beatAt = this.at;
  }

  get up() {
    return this.faults.up;
  }

  post(after, event) {
    this.queue.push({ at: this.at + after, order: this.order++, event });
  }

  dispatch(event) {
    const [next, effects] = northstar.ladder.reduce(frozen(this.state), frozen({ ...event, at: this.at, random: this.random() }));
    this.check(this.state, next);
    this.state = next;
    for (const effect of effects) this.carryOut(effect);
  }

  check(before, after) {
    const same = before.held.epoch === after.held.epoch;
    if (same && after.held.seq < before.held.seq) throw new Error("went back in time");
    const number = Number((after.held.epoch || "-0").split("-")[1]);
    const was = Number((before.held.epoch || "-0").split("-")[1]);
    if (number < was) throw new Error("went back to an old epoch");
  }

  carryOut(effect) {
    this.log.push({ ...effect, at: this.at });
    if (effect.type === "open") this.connect(effect);
    else if (effect.type === "close") this.open.delete(effect.id);
    else if (effect.type === "fetch") this.fetch(effect);
    else if (effect.type === "wake") this.post(effect.after, { type: "tick" });
  }

  connect({ id, transport, epoch, after }) {
    if (transport === "polling") return this.open.set(id, transport);
    const state = this.up[transport];
    if (state === "hang") return this.open.set(id, "hanging");
    if (!state) return this.post(20, { type: "closed", id });
    this.open.set(id, transport);
    this.say(id, this.server.resume(this.at, epoch, after));
  }

  fetch({ id, epoch, after }) {
    const answered = this.up.http && this.random() >= this.faults.loss;
    const wait = 20 + this.random() * this.faults.delay;
    if (!answered) return this.post(wait, { type: "fetch_failed", id });
    this.post(wait, { type: "fetched", id, messages: [this.server.resume(this.at, epoch, after)] });
  }

  /* Lost, doubled, late: each copy takes its own time, so copies overtake each other. */
  say(id, message) {
    const copies = this.random() < this.faults.twice ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.random() < this.faults.loss) continue;
      this.post(5 + this.random() * this.faults.delay, { type: "message", id, message });
    }
  }

  everyone(message) {
    for (const [id, transport] of this.open) {
      if (transport === "websocket" || transport === "sse") this.say(id, message);
    }
  }

  advance() {
    this.server.advance();
    this.everyone(this.server.broadcast(this.at));
    this.beatAt = this.at + 5000;
  }

  renew() {
    this.server.renew();
    this.everyone(this.server.snapshot(this.at));
  }

  drop(transport) {
    for (const [id, kind] of [...this.open]) {
      if (kind !== transport) continue;
      this.open.delete(id);
      this.post(5, { type: "closed", id });
    }
  }

  /* Up to 100 ms, a second, an hour: deliveries in order, a clock each second, polls each pace. */
  run(milliseconds, { every = 10000 } = {}) {
    const end = this.at + milliseconds;
    while (this.at < end) {
      this.at += 100;
      if (every && this.at % every === 0) this.advance();
      if (this.at >= this.beatAt) {
        this.everyone(this.server.beat(this.at));
        this.beatAt = this.at + 5000;
      }
      if (this.asleep) continue;
      this.deliver();
      if (this.at % 1000 === 0) this.dispatch({ type: "tick" });
      if (this.at % 5000 === 0) this.dispatch({ type: "poll" });
    }
    return this;
  }

  deliver() {
    for (;;) {
      const due = this.queue.filter((entry) => entry.at <= this.at).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (!due) return;
      this.queue.splice(this.queue.indexOf(due), 1);
      this.dispatch(due.event);
    }
  }

  opened(transport) {
    return this.log.filter((effect) => effect.type === "open" && effect.transport === transport);
  }

  badge() {
    return northstar.status.badge(this.state, this.at).state;
  }
}

export const started = (options) => {
  const world = new World(options);
  world.dispatch({ type: "boot", hidden: false });
  return world;
};

/* The server rests for six seconds (a beat, a poll), then both must hold the same. */
export const converged = (world) => {
  world.run(6000, { every: 0 });
  assert.equal(world.state.held.epoch, world.server.epoch);
  assert.equal(world.state.held.seq, world.server.seq);
  assert.deepEqual(world.state.held.document, world.server.document);
};
