/* What the page says about itself: badge, banner, ages. Pure: from the ladder's state and the clock. */
"use strict";
(function (northstar) {
  const LIVE = ["live-ws", "live-sse"];
  const NAMES = { "live-ws": "Live", "live-sse": "Live (SSE)", polling: "Polling", reconnecting: "Reconnecting" };

  const limits = () => northstar.connections.LIMITS;

  /* Live needs words within the silence limit, whatever the socket says. */
  function transport(s, at) {
    const { main } = s;
    if (s.barred) return "offline";
    if (main && main.heardAt !== null) {
      const quiet = at - main.heardAt;
      if (!northstar.connections.polls(s)) {
        if (quiet <= limits().silence) return LIVE[main.rung];
      } else if (quiet <= northstar.connections.pace(s) + limits().fetch) return "polling";
    }
    return s.reach === "down" ? "offline" : "reconnecting";
  }

  function badge(s, at, zone) {
    const state = transport(s, at);
    if (state !== "offline") return { state, text: NAMES[state] };
    const since = s.heardAt === null ? "" : " since " + northstar.format.hourMinute(s.heardAt, zone);
    return { state, text: "Offline" + since };
  }

  const instant = (text) => (text ? Date.parse(text) : NaN);

  /* What must be said above the figures; null when they are fresh.
     `tick` is the expected distance of figures in milliseconds. */
  function banner(s, at, tick, zone) {
    const asOf = instant(s.held.document && s.held.document.as_of);
    const clock = (milliseconds) => northstar.format.hourMinute(milliseconds, zone);
    if (s.barred) return { kind: "offline", text: "The server ended this session: " + s.barred.reason + ". Reload the page." };
    if (transport(s, at) === "offline") {
      const text = Number.isNaN(asOf) ? "no figures yet" : "figures of " + clock(asOf) + ", " + age(s, at, asOf) + " old";
      return { kind: "offline", text: "Offline: " + text + ". Trying again." };
    }
    if (Number.isNaN(asOf)) return { kind: "starting", text: "Starting: the first figures are being read. This page becomes live by itself." };
    if (stale(s, at, tick)) return { kind: "stale", text: "No new figures since " + clock(asOf) + ", " + age(s, at, asOf) + " ago." };
    return null;
  }

  const serverNow = (s, at) => at + s.offset;
  const age = (s, at, from) => northstar.format.age(serverNow(s, at) - from);

  function stale(s, at, tick) {
    const asOf = instant(s.held.document && s.held.document.as_of);
    return serverNow(s, at) - asOf > 3 * tick + 5000;
  }

  /* The source that was heard from longest ago: {name, age} or null. */
  function oldest(s, at) {
    const sources = Object.entries((s.held.document && s.held.document.sources) || {});
    const dated = sources.filter(([, source]) => source.as_of && source.status !== "off");
    if (!dated.length) return null;
    const [name, source] = dated.reduce((a, b) => (instant(b[1].as_of) < instant(a[1].as_of) ? b : a));
    return { name, age: age(s, at, instant(source.as_of)) };
  }

  northstar.status = { badge, banner, stale, oldest, serverNow, age };
  if (typeof module === "object") module.exports = northstar.status;
})((globalThis.northstar = globalThis.northstar || {}));
