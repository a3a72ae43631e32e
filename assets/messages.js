/* What is held of the live document, and the rules by which messages become it: epoch, prev, seq and merge patches. */
"use strict";
(function (northstar) {
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

  /* RFC 7396; what did not change keeps its identity. */
  function merge(target, patch) {
    if (!isObject(patch)) return patch;
    const result = isObject(target) ? { ...target } : {};
    for (const [key, value] of Object.entries(patch)) {
      if (value === null) delete result[key];
      else result[key] = merge(result[key], value);
    }
    return result;
  }

  /* A held document: `step` is when its epoch was adopted, `sentAt` the server's clock when it
     last spoke of it. */
  const EMPTY = { epoch: null, seq: -1, document: null, sentAt: 0, step: 0 };

  /* Another epoch's snapshot counts when it is later by the server's clock, or is the first word
     of a source asked after the epoch was adopted: so a straggler never brings an old epoch back,
     and a clock set back never locks a new one out. */
  function supersedes(held, source, message) {
    if (held.epoch === null || message.sent_at > held.sentAt) return true;
    return source.words === 0 && source.step > held.step;
  }

  function replaced(held, message, step) {
    const { epoch, seq, sent_at: sentAt = 0, data } = message;
    return { epoch, seq, document: data, sentAt, step: epoch === held.epoch ? held.step : step };
  }

  function patched(held, message) {
    const sentAt = Math.max(held.sentAt, message.sent_at || 0);
    return { ...held, seq: message.seq, sentAt, document: merge(held.document, message.data) };
  }

  /* What becomes of `held` when `source` {words, step} says `message`.
     → {held, known}: known when the message is covered now; else something is missing, to be fetched. */
  function take(held, source, message, step) {
    const same = message.epoch === held.epoch && held.document !== null;
    const old = same && message.seq <= held.seq;
    if (old) return { held, known: true };
    if (message.type === "snapshot" && (same || supersedes(held, source, message))) {
      return { held: replaced(held, message, step), known: true };
    }
    if (message.type === "delta" && same && message.prev <= held.seq) {
      return { held: patched(held, message), known: true };
    }
    return { held, known: false };
  }

  function lookup(document, path) {
    return path.split(".").reduce((value, key) => (isObject(value) ? value[key] : undefined), document || undefined);
  }

  northstar.messages = { EMPTY, merge, take, lookup };
  if (typeof module === "object") module.exports = northstar.messages;
})((globalThis.northstar = globalThis.northstar || {}));
