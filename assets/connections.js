/* What the ladder does with connections: open, close, ask, fail, descend, climb. Pure; used by ladder.js.

   Every function takes a state that may be changed (a fresh copy), the list of effects and the event. */
"use strict";
(function (northstar) {
  const RUNGS = ["websocket", "sse", "polling"];
  const POLLING = 2;
  const SECOND = 1000;
  const LIMITS = {
    first: 5 * SECOND, silence: 12 * SECOND, health: 60 * SECOND,
    probe: 60 * SECOND, trial: 30 * SECOND, hold: 600 * SECOND, cascade: 60 * SECOND,
    poll: 5 * SECOND, pollHidden: 30 * SECOND, fetch: 10 * SECOND, asleep: 10 * SECOND,
    retry: [1, 2, 5, 10, 30].map((seconds) => seconds * SECOND),
  };

  const cursor = (s) => ({ epoch: s.held.epoch || "", after: Math.max(0, s.held.seq) });
  const pace = (s) => (s.hidden ? LIMITS.pollHidden : LIMITS.poll);
  const polls = (s) => s.main !== null && s.main.rung === POLLING;

  function opening(s, out, e, rung) {
    const id = s.next++;
    out.push({ type: "open", id, transport: RUNGS[rung], ...cursor(s) });
    return { id, rung, step: s.step, openedAt: e.at, heardAt: null, aliveAt: null, words: 0 };
  }

  function openMain(s, out, e) {
    s.retryAt = null;
    s.main = opening(s, out, e, s.rung);
    if (!polls(s)) return;
    out.push({ type: "pace", milliseconds: pace(s) });
    ask(s, out, e);
  }

  function close(s, out, which) {
    if (s[which]) out.push({ type: "close", id: s[which].id, transport: RUNGS[s[which].rung] });
    s[which] = null;
  }

  /* One fetch at a time, for gaps, verdicts and polls alike. */
  function ask(s, out, e) {
    if (s.fetch || s.barred || e.at < s.fetchAfter) return;
    s.fetch = { id: s.next++, step: s.step, at: e.at, words: 0 };
    out.push({ type: "fetch", id: s.fetch.id, ...cursor(s) });
  }

  function later(s, out, e, milliseconds) {
    s.retryAt = e.at + milliseconds;
    out.push({ type: "wake", after: milliseconds });
  }

  /* Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
  function backOff(s, out, e) {
    later(s, out, e, e.random * LIMITS.retry[Math.min(s.attempt, LIMITS.retry.length - 1)]);
    s.attempt += 1;
  }

  function bar(s, out, code, reason) {
    close(s, out, "main");
    close(s, out, "probe");
    Object.assign(s, { judging: null, retryAt: null, barred: { code, reason } });
  }

  function top(s, out) {
    close(s, out, "probe");
    Object.assign(s, { rung: 0, failures: 0, probeAt: null });
  }

  function failedProbe(s, out, e) {
    close(s, out, "probe");
    s.probeAt = e.at + LIMITS.probe;
  }

  /* A failure is judged by one fetch: does the server answer at all? */
  function failed(s, out, e, hung) {
    close(s, out, "main");
    s.judging = { hung };
    ask(s, out, e);
    if (!s.fetch) judged(s, out, e, false);
  }

  /* No answer says nothing about this rung: it stays and waits. */
  function judged(s, out, e, answered) {
    const { hung } = s.judging;
    s.judging = null;
    if (!answered) return backOff(s, out, e);
    s.failures += 1;
    if (hung || s.failures >= 2) descend(s, out, e);
    else backOff(s, out, e);
  }

  function descend(s, out, e) {
    close(s, out, "probe");
    if (s.climbedAt !== null && e.at - s.climbedAt < LIMITS.hold) s.holdUntil = e.at + LIMITS.hold;
    changed(s, e, "down");
    Object.assign(s, { rung: s.rung + 1, failures: 0, attempt: 0, probeAt: e.at + LIMITS.probe });
    openMain(s, out, e);
  }

  const recent = (s, e) => s.changes.filter((change) => e.at - change.at < LIMITS.hold);

  /* Falls in quick succession are one fall. */
  function changed(s, e, way) {
    const changes = recent(s, e);
    const last = changes[changes.length - 1];
    if (last && last.way === "down" && way === "down" && e.at - last.at < LIMITS.cascade) changes.pop();
    s.changes = [...changes, { at: e.at, way }];
  }

  /* A climb leaves room for one more fall: three changes in ten minutes at most. */
  const mayClimb = (s, e) => e.at >= s.holdUntil && recent(s, e).length < 2;

  function climb(s, out, e) {
    if (!s.main || s.rung === 0) return;
    if (s.probe) {
      if (s.probe.aliveAt !== null && e.at - s.probe.aliveAt >= LIMITS.trial) promote(s, out, e);
    } else if (!s.hidden && s.probeAt !== null && e.at >= s.probeAt && mayClimb(s, e)) {
      s.probe = opening(s, out, e, s.rung - 1);
    }
  }

  function promote(s, out, e) {
    close(s, out, "main");
    changed(s, e, "up");
    Object.assign(s, { main: s.probe, probe: null, rung: s.rung - 1, failures: 0, attempt: 0 });
    Object.assign(s, { climbedAt: e.at, probeAt: e.at + LIMITS.probe });
  }

  northstar.connections = {
    RUNGS, LIMITS, pace, polls, openMain, close, ask, later, backOff, bar, top, failed, failedProbe, judged, climb,
  };
  if (typeof module === "object") module.exports = northstar.connections;
})((globalThis.northstar = globalThis.northstar || {}));
