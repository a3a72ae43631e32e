/* The running page: feeds the ladder, carries out its effects, keeps figures, chart and colours in step. */
"use strict";
(function (northstar) {
  const KEPT = "northstar:last";
  const KEEP_EVERY = 5000;
  const ANNOUNCE_EVERY = 60000;
  let state = null;
  let config = { tick: 10000, zone: "UTC", socket: "component" };
  let transports = {};
  let painted = null;
  let frame = false;
  let keptAt = 0;
  let announcedAt = 0;

  const figures = () => (state ? state.held.document : null);

  function dispatch(event) {
    if (!state) return;
    const before = state.held;
    const [next, effects] = northstar.ladder.reduce(state, { ...event, at: Date.now(), random: Math.random() });
    state = next;
    effects.forEach(carryOut);
    if (state.held !== before) moved();
    else if (event.type !== "poll") clock();
  }

  function carryOut(effect) {
    const { type } = effect;
    if (type === "open" || type === "close") transports[effect.transport][type](effect);
    else if (type === "fetch") northstar.transports.ask(effect, dispatch);
    else if (type === "pace") transports.polling.pace(effect);
    else if (type === "wake") setTimeout(() => dispatch({ type: "tick" }), effect.after);
    else if (type === "save") keep();
  }

  /* -- figures ------------------------------------------------------------------------------ */

  function moved() {
    northstar.chart.follow(figures());
    if (Date.now() - keptAt >= KEEP_EVERY) keep();
    if (frame || document.hidden) return;
    frame = true;
    requestAnimationFrame(show);
  }

  function show() {
    frame = false;
    northstar.paint.paint(state.held, painted, config.zone);
    painted = figures();
    clock();
    announce();
  }

  function clock() {
    if (!document.hidden) northstar.paint.clock(state, Date.now(), config.tick, config.zone);
  }

  /* For those who hear the page: at most once a minute, politely. */
  function announce() {
    const region = document.getElementById("live-announcer");
    const now = Date.now();
    if (!region || !painted || !painted.complete || now - announcedAt < ANNOUNCE_EVERY) return;
    announcedAt = now;
    const { money } = northstar.format;
    region.textContent = "Net P&L " + money(painted.net_pnl) + ", today " + money(painted.change.today, true);
  }

  /* -- the last document, for a page that finds nobody -------------------------------------- */

  function keep() {
    if (!figures() || state.saved) return;
    keptAt = Date.now();
    const { epoch, seq, document: last } = state.held;
    try {
      localStorage.setItem(KEPT, JSON.stringify({ epoch, seq, document: last, heardAt: state.heardAt, offset: state.offset }));
    } catch {
      /* A full or forbidden store costs the offline page its figures, nothing else. */
    }
  }

  function kept() {
    try {
      return JSON.parse(localStorage.getItem(KEPT));
    } catch {
      return null;
    }
  }

  /* -- colours ------------------------------------------------------------------------------ */

  /* The server draws the next page in the scheme of this one. */
  function followScheme() {
    const root = document.documentElement;
    const remember = () => {
      const scheme = root.dataset.mantineColorScheme;
      if (scheme) document.cookie = "northstar-scheme=" + scheme + ";path=/;max-age=31536000;samesite=lax";
      northstar.chart.dress();
    };
    new MutationObserver(remember).observe(root, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
    remember();
  }

  /* -- beginning ---------------------------------------------------------------------------- */

  function listen() {
    document.addEventListener("visibilitychange", () => {
      dispatch({ type: document.hidden ? "hidden" : "visible" });
      if (document.hidden) return;
      if (figures()) show();
      northstar.chart.refill();
    });
    globalThis.addEventListener("online", () => dispatch({ type: "online" }));
    globalThis.addEventListener("pagehide", keep);
    setInterval(() => dispatch({ type: "tick" }), 1000);
  }

  function boot(settings) {
    if (state || !settings) return;
    config = { ...config, ...settings };
    const { componentSocket, nativeSocket, eventSource, interval } = northstar.transports;
    const socket = config.socket === "native" ? nativeSocket : componentSocket;
    transports = { websocket: socket(dispatch), sse: eventSource(dispatch), polling: interval(dispatch) };
    state = northstar.ladder.initial();
    dispatch({ type: "boot", hidden: document.hidden, saved: kept() });
    listen();
    followScheme();
  }

  /* A page was mounted, with the document it was rendered from. */
  function served(text) {
    if (!state) return void setTimeout(served, 20, text);
    document.querySelectorAll("[data-first-paint]").forEach((element) => element.remove());
    for (const link of document.querySelectorAll(".ns-link")) {
      if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    painted = null;
    if (text) {
      const { epoch, seq, ...rest } = JSON.parse(text);
      dispatch({ type: "served", message: { type: "snapshot", epoch, seq, data: { epoch, seq, ...rest } } });
    }
    if (figures()) show();
    ready(20);
  }

  /* The graph comes after its page, when plotly.js is there. */
  function ready(tries) {
    if (document.querySelector("#" + northstar.chart.GRAPH + " .js-plotly-plot .main-svg")) {
      northstar.chart.dress();
      northstar.chart.follow(figures());
    } else if (tries) setTimeout(ready, 250, tries - 1);
  }

  northstar.live = { figures, state: () => state, dispatch, boot };

  const silent = (act) => (...given) => void act(...given) || globalThis.dash_clientside.no_update;
  globalThis.dash_clientside = Object.assign({}, globalThis.dash_clientside, {
    northstar: {
      boot: silent(boot),
      served: silent(served),
      message: silent((event) => transports.websocket && transports.websocket.message && transports.websocket.message(event)),
      state: silent((event) => transports.websocket && transports.websocket.state && transports.websocket.state(event)),
      poll: silent(() => dispatch({ type: "poll" })),
    },
  });
})((globalThis.northstar = globalThis.northstar || {}));
