/* Writes figures into the page: text nodes by path, only where something changed. */
"use strict";
(function (northstar) {
  const lookup = (document, path) => northstar.messages.lookup(document, path);
  const known = (value) => value !== undefined && value !== null;
  const all = (selector) => globalThis.document.querySelectorAll(selector);

  /* data-format → text; each gets the value, the whole document and the display zone. */
  const FORMATS = {
    money: (value) => northstar.format.money(value),
    signed: (value) => northstar.format.money(value, true),
    minus: (value) => northstar.format.money(-value),
    atleast: (value, document) => (lookup(document, "costs.unpriced") ? "\u2265\u00a0" : "") + northstar.format.money(value),
    count: (value) => northstar.format.count(value),
    date: (value, document, zone) => northstar.format.date(Date.parse(value), zone),
    time: (value, document, zone) => northstar.format.time(Date.parse(value), zone),
    milliseconds: (value) => northstar.format.count(Math.round(value)) + " ms",
    text: (value) => String(value),
  };

  /* Whether an element's figure may be shown: a net only once every source has told its history. */
  const lacks = ({ dataset: { needs } }, document) => Boolean(needs) && lookup(document, needs) !== true;

  function text(element, document, zone) {
    const { live, format, lacking } = element.dataset;
    const value = lookup(document, live);
    if (lacks(element, document)) return lacking || northstar.format.UNKNOWN;
    return known(value) ? FORMATS[format || "text"](value, document, zone) : northstar.format.UNKNOWN;
  }

  function write(element, value) {
    const node = element.firstChild;
    if (node && node.nodeType === 3) {
      if (node.nodeValue === value) return false;
      node.nodeValue = value;
      return true;
    }
    if (element.textContent === value) return false;
    element.textContent = value;
    return true;
  }

  function set(element, name, value) {
    if (element.getAttribute(name) === value) return;
    if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }

  const calm = () => globalThis.matchMedia("(prefers-reduced-motion: reduce)").matches;

  /* Where something changed, calmly: a neutral tint; the one big figure by its own colour. */
  function flash(element, before, after) {
    if (calm() || !(typeof before === "number" && typeof after === "number")) return;
    const style = getComputedStyle(element);
    const token = (name) => style.getPropertyValue("--ns-" + name);
    const hero = element.classList.contains("ns-net-figure");
    const frames = hero
      ? [{ color: token(after < before ? "loss" : "gain") }, { color: style.color }]
      : [{ backgroundColor: token("accent-soft") }, { backgroundColor: "transparent" }];
    element.animate(frames, { duration: hero ? 1200 : 700, easing: "ease-out" });
  }

  /* Moves are gains or losses; of plain amounts only what is below zero is told apart. */
  function signOf(element, document, value) {
    const { format } = element.dataset;
    if (lacks(element, document) || !known(value) || !["signed", "money"].includes(format)) return null;
    const sign = northstar.format.sign(value);
    return sign === "loss" || format === "signed" ? sign : null;
  }

  function figures(document, previous, zone) {
    for (const element of all("[data-live]")) {
      const value = lookup(document, element.dataset.live);
      const changed = write(element, text(element, document, zone));
      set(element, "data-sign", signOf(element, document, value));
      set(element, "data-unknown", lacks(element, document) || !known(value) ? "" : null);
      if (changed && previous) flash(element, lookup(previous, element.dataset.live), value);
    }
  }

  /* data-show: while the member is there; data-hide: while it is true; data-status-of: carries it. */
  function states(document) {
    for (const element of all("[data-show]")) element.hidden = !known(lookup(document, element.dataset.show)) || lookup(document, element.dataset.show) === false;
    for (const element of all("[data-hide]")) element.hidden = lookup(document, element.dataset.hide) === true;
    for (const element of all("[data-status-of]")) {
      const value = lookup(document, element.dataset.statusOf);
      set(element, "data-status", known(value) ? String(value) : "unknown");
    }
    set(globalThis.document.documentElement, "data-mode", lookup(document, "mode") || null);
  }

  function bars(document) {
    const figure = (path) => lookup(document, path) || 0;
    const complete = Boolean(lookup(document, "complete"));
    const shares = northstar.waterfall.bars(figure("revenue.recognized"), figure("costs.total"), figure("trading.total"));
    for (const [index, element] of all("[data-bar]").entries()) {
      element.hidden = !complete;
      element.style.setProperty("--from", shares[index].from.toFixed(2) + "%");
      element.style.setProperty("--to", shares[index].to.toFixed(2) + "%");
    }
  }

  function alertItem({ severity, title, since }, zone) {
    const item = globalThis.document.createElement("li");
    const [kind, words, time] = ["span", "span", "time"].map((tag) => item.appendChild(globalThis.document.createElement(tag)));
    Object.assign(kind, { className: "ns-alert-kind", textContent: severity });
    Object.assign(words, { className: "ns-alert-title", textContent: title });
    Object.assign(time, { dateTime: since, textContent: northstar.format.hourMinute(Date.parse(since), zone) });
    item.className = "ns-alert";
    item.dataset.severity = severity;
    return item;
  }

  function alerts(document, previous, zone) {
    const list = globalThis.document.getElementById("alerts");
    if (!list || (previous && previous.alerts === document.alerts && list.childElementCount)) return;
    list.replaceChildren(...(lookup(document, "alerts") || []).map((alert) => alertItem(alert, zone)));
    all("[data-without-alerts]").forEach((element) => (element.hidden = list.childElementCount > 0));
  }

  /* All of a document; `previous` is what stands on the page, null after a page was mounted. */
  function paint(held, previous, zone) {
    const { document } = held;
    if (!document) return;
    figures(document, previous, zone);
    states(document);
    bars(document);
    alerts(document, previous, zone);
    set(globalThis.document.documentElement, "data-seq", String(held.seq));
    set(globalThis.document.documentElement, "data-epoch", held.epoch);
  }

  /* What goes with the clock rather than with figures: badge, banner, ages. */
  function clock(state, at, tick, zone) {
    const badge = globalThis.document.getElementById("transport-badge");
    if (!badge) return;
    const { state: transport, text: words } = northstar.status.badge(state, at, zone);
    set(badge, "data-state", transport);
    write(badge.querySelector("[data-badge]"), words);
    const oldest = northstar.status.oldest(state, at);
    all("[data-oldest]").forEach((element) => write(element, oldest ? "oldest source " + oldest.age : ""));
    announceBanner(northstar.status.banner(state, at, tick, zone));
    for (const element of all("[data-age]")) {
      const from = Date.parse(lookup(state.held.document, element.dataset.age));
      write(element, Number.isNaN(from) ? northstar.format.UNKNOWN : northstar.status.age(state, at, from));
    }
  }

  function announceBanner(banner) {
    const element = globalThis.document.getElementById("live-banner");
    element.hidden = banner === null;
    set(element, "data-kind", banner && banner.kind);
    write(element.firstElementChild, banner ? banner.text : "");
    set(globalThis.document.documentElement, "data-fresh", banner === null ? "yes" : banner.kind);
  }

  northstar.paint = { paint, clock, text, write };
  if (typeof module === "object") module.exports = northstar.paint;
})((globalThis.northstar = globalThis.northstar || {}));
