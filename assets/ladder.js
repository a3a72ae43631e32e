/* The transport ladder as a pure reducer: (state, event) → [state, effects]; no clock, no chance, no browser.

   WebSocket → server-sent events → polling → offline. Every event carries `at` (milliseconds) and
   `random` in [0, 1); every effect is a plain object that live.js carries out.

   events   boot {saved, hidden} · served {message} · message {id, message} · closed {id} · poll ·
            fetched {id, messages} · fetch_failed {id, status, retryAfter} · tick ·
            hidden · visible · online
   effects  open {id, transport, epoch, after} · close {id, transport} · fetch {id, epoch, after} ·
            pace {milliseconds} · wake {after} · save

   Invariants: at most one fetch in flight; never back in time, never two epochs mixed; words of
   closed connections are ignored; a connection is alive by what it says, not by being open. */
"use strict";
(function (northstar) {
  const { RUNGS, LIMITS, pace, polls, openMain, close, ask, later, backOff, bar, top, failed, failedProbe, judged, climb } =
    northstar.connections || require("./connections.js");

  function initial() {
    return {
      step: 0, next: 1, tickAt: 0, hidden: false,
      held: northstar.messages.EMPTY, saved: false, offset: 0, heardAt: null,
      rung: 0, main: null, probe: null, fetch: null, judging: null, barred: null,
      failures: 0, attempt: 0, retryAt: null, notBefore: 0, fetchAfter: 0,
      probeAt: null, holdUntil: 0, climbedAt: null, changes: [], reach: "unknown",
    };
  }

  /* -- what is said ------------------------------------------------------------------------- */

  /* Returns whether the message is covered by what is held now. */
  function take(s, e, source, message) {
    if (message.sent_at) s.offset = message.sent_at - e.at;
    const { held, known } = northstar.messages.take(s.held, source, message, s.step);
    source.words += 1;
    s.held = held;
    if (known) {
      s.saved = false;
      reached(s, e);
    }
    return known;
  }

  function reached(s, e) {
    s.heardAt = e.at;
    s.reach = "up";
  }

  function heard(source, e) {
    source.heardAt = e.at;
    if (source.aliveAt === null) source.aliveAt = e.at;
  }

  function message(s, out, e) {
    const which = ["main", "probe"].find((name) => s[name] && s[name].id === e.id);
    if (!which) return;
    if (e.message.type === "bye") {
      if (which === "probe") failedProbe(s, out, e);
      else dismissed(s, out, e);
      return;
    }
    s[which] = { ...s[which] };
    if (take(s, e, s[which], e.message)) heard(s[which], e);
    else ask(s, out, e);
  }

  /* A farewell is no failure: come back when told, spread over as long again. */
  function dismissed(s, out, e) {
    const { code, reason, retry_ms: wait } = e.message;
    if (wait < 0) return bar(s, out, code, reason);
    close(s, out, "main");
    if (code === "shutdown") top(s, out);
    s.notBefore = e.at + wait;
    later(s, out, e, wait * (1 + e.random));
  }

  function closed(s, out, e) {
    if (s.probe && s.probe.id === e.id) failedProbe(s, out, e);
    else if (s.main && s.main.id === e.id) failed(s, out, e, false);
  }

  /* A page brought its own document: a snapshot, unless another epoch is known by now. */
  function served(s, out, e) {
    if (s.saved) s.held = northstar.messages.EMPTY;
    take(s, e, { words: 1, step: s.step }, e.message);
  }

  /* -- fetches ------------------------------------------------------------------------------ */

  function fetched(s, out, e) {
    if (!s.fetch || s.fetch.id !== e.id) return;
    const source = { ...s.fetch };
    s.fetch = null;
    for (const said of e.messages) take(s, e, source, said);
    reached(s, e);
    if (s.judging) judged(s, out, e, true);
    else if (polls(s)) polled(s, e);
  }

  function polled(s, e) {
    s.main = { ...s.main, words: s.main.words + 1 };
    heard(s.main, e);
    s.failures = s.attempt = 0;
  }

  function fetchFailed(s, out, e) {
    if (!s.fetch || s.fetch.id !== e.id) return;
    s.fetch = null;
    if (e.retryAfter) s.fetchAfter = e.at + e.retryAfter * 1000;
    if (e.status === 401 || e.status === 403) return bar(s, out, "forbidden", "this session may not read here");
    if (e.status === 503) starting(s);
    else if (e.status !== 429) s.reach = "down";
    if (s.judging) judged(s, out, e, e.status === 429);
    else if (polls(s)) missedPoll(s, out, e);
  }

  /* 503: the server is there but has no figures; those kept from an earlier visit are not its own. */
  function starting(s) {
    s.reach = "starting";
    if (s.saved) Object.assign(s, { held: northstar.messages.EMPTY, saved: false });
  }

  /* Polling is the last rung: two misses mean that all have failed, and the top is tried again. */
  function missedPoll(s, out, e) {
    s.failures += 1;
    if (s.failures < 2) return;
    close(s, out, "main");
    top(s, out);
    backOff(s, out, e);
  }

  /* -- time --------------------------------------------------------------------------------- */

  function tick(s, out, e) {
    const slept = s.tickAt > 0 && e.at - s.tickAt > LIMITS.asleep;
    s.tickAt = e.at;
    if (s.fetch && e.at - s.fetch.at > LIMITS.fetch) fetchFailed(s, out, { ...e, id: s.fetch.id });
    if (slept && !fresh(s, e)) resume(s, out, e);
    if (s.retryAt !== null && e.at >= s.retryAt) openMain(s, out, e);
    watch(s, out, e);
    climb(s, out, e);
  }

  const lastSign = (made) => (made.heardAt === null ? made.openedAt : made.heardAt);
  const fresh = (s, e) => s.main !== null && e.at - lastSign(s.main) < LIMITS.silence;

  function verdict(made, e) {
    if (made.words === 0) return e.at - made.openedAt >= LIMITS.first ? "hung" : null;
    return e.at - lastSign(made) >= LIMITS.silence ? "silent" : null;
  }

  function watch(s, out, e) {
    if (s.probe && verdict(s.probe, e)) failedProbe(s, out, e);
    if (!s.main || polls(s)) return;
    const found = verdict(s.main, e);
    if (found) failed(s, out, e, found === "hung");
    else if (s.main.aliveAt !== null && e.at - s.main.aliveAt >= LIMITS.health) s.failures = s.attempt = 0;
  }

  /* Back from sleep, a hidden tab or a dead network: at once, and no failure counted. */
  function resume(s, out, e) {
    if (s.barred || s.judging) return;
    s.attempt = 0;
    if (!polls(s) && !fresh(s, e)) close(s, out, "main");
    if (!s.main && e.at >= s.notBefore) openMain(s, out, e);
    ask(s, out, e);
  }

  function shown(s, out, e) {
    s.hidden = e.type === "hidden";
    if (polls(s)) out.push({ type: "pace", milliseconds: pace(s) });
    if (s.hidden) out.push({ type: "save" });
    else resume(s, out, e);
  }

  /* -- beginning ---------------------------------------------------------------------------- */

  function boot(s, out, e) {
    s.hidden = Boolean(e.hidden);
    s.tickAt = e.at;
    if (e.saved && s.held.document === null) restore(s, e.saved);
    openMain(s, out, e);
    ask(s, out, e);
  }

  function restore(s, { epoch, seq, document, heardAt, offset }) {
    Object.assign(s, { saved: true, heardAt, offset: offset || 0 });
    s.held = { ...northstar.messages.EMPTY, epoch, seq, document };
  }

  function poll(s, out, e) {
    if (polls(s)) ask(s, out, e);
  }

  const HANDLERS = {
    boot, served, message, closed, poll, fetched, tick,
    fetch_failed: fetchFailed, hidden: shown, visible: shown, online: resume,
  };

  /* The one door. Neither `state` nor `event` is changed. */
  function reduce(state, event) {
    const next = { ...state, step: state.step + 1 };
    const effects = [];
    HANDLERS[event.type](next, effects, event);
    return [next, effects];
  }

  northstar.ladder = { RUNGS, LIMITS, initial, reduce };
  if (typeof module === "object") module.exports = northstar.ladder;
})((globalThis.northstar = globalThis.northstar || {}));
