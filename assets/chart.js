/* The curve of the day: extended by what arrives, refilled from the series where something was missed.

   Five traces: closed minutes (0 without unrealized, 1 net), the running tail (2, 3), the point of now
   (4). The figure comes from components/charts.py; layout.meta has start, end, offset in milliseconds. */
"use strict";
(function (northstar) {
  const GRAPH = "day-curve";
  const MINUTE = 60000;
  const TAIL = [2, 3, 4];
  const ALL = [0, 1, ...TAIL];
  const MOST = 1500;
  const KEEP = { x: [2 * MOST, 2 * MOST, 1], y: [2 * MOST, 2 * MOST, 1] };
  let pending = [];
  let drawing = false;
  let filling = false;

  const graph = () => {
    const found = document.querySelector("#" + GRAPH + " .js-plotly-plot");
    return found && found.data && found.layout && globalThis.Plotly ? found : null;
  };

  /* One point of the tail; the net is the document's own number, so curve and card agree. */
  function point(figures, offset) {
    const { net_pnl: net, trading } = figures;
    return { x: Date.parse(figures.as_of) + offset, net, base: net - trading.unrealized };
  }

  /* Rows of 1m whose minute is over at `asOf` → columns; ends are where a minute's close is drawn. */
  function columns(rows, asOf) {
    const closed = rows.filter((row) => Date.parse(row.time) + MINUTE <= asOf);
    return {
      start: closed.length ? Date.parse(closed[0].time) + MINUTE : null,
      end: closed.length ? Date.parse(closed[closed.length - 1].time) + MINUTE : null,
      net: closed.map((row) => row.net_close),
      base: closed.map((row) => row.net_close - row.unrealized),
    };
  }

  /* The tail starts where the closed minutes end and stops at the figures now. */
  function tail(past, now, offset) {
    if (past.end === null) return [now];
    const last = past.net.length - 1;
    return [{ x: past.end + offset, net: past.net[last], base: past.base[last] }, now];
  }

  const pluck = (points) => ({ x: points.map((p) => p.x), net: points.map((p) => p.net), base: points.map((p) => p.base) });

  function follow(figures) {
    if (!figures || !figures.complete) return;
    pending.push(figures);
    if (pending.length > MOST) pending = pending.slice(-1);
    schedule();
  }

  function schedule() {
    if (drawing || document.hidden || !pending.length) return;
    drawing = true;
    requestAnimationFrame(() => draw().finally(() => {
      drawing = false;
      if (pending.length && graph()) schedule();
    }));
  }

  async function draw() {
    const plot = graph();
    if (!plot) return;
    const { meta } = plot.layout;
    const drawn = plot.data[TAIL[1]].x || [];
    const last = drawn.length ? drawn[drawn.length - 1] : null;
    const points = pending.map((figures) => point(figures, meta.offset)).filter((p) => last === null || p.x > last);
    if (!points.length) return void (pending = []);
    pending = [];
    if (missed(points, last, meta) || drawn.length > MOST) return refill();
    const { x, net, base } = pluck(points);
    await globalThis.Plotly.extendTraces(plot, { x: [x, x, x], y: [base, net, net] }, TAIL, KEEP);
  }

  function missed(points, last, meta) {
    return last === null || points[0].x - last > meta.gap || points[points.length - 1].x - meta.offset >= meta.end;
  }

  /* The day of the figures: another one begins at midnight of the display zone. */
  function day(meta, asOf) {
    if (asOf < meta.end) return meta;
    const start = northstar.format.dayStart(asOf, meta.zone);
    const end = northstar.format.dayStart(start + 25.5 * 60 * MINUTE, meta.zone);
    return { ...meta, start, end, offset: northstar.format.offset(asOf, meta.zone) };
  }

  async function refill() {
    const figures = northstar.live.figures();
    if (filling || !graph() || !figures || !figures.complete) return;
    filling = true;
    try {
      const meta = day(graph().layout.meta, Date.parse(figures.as_of));
      const answer = await fetch("/api/pnl/series" + query(meta));
      if (answer.ok) await redraw(meta, (await answer.json()).rows);
    } catch {
      /* The next figures find the same gap and ask again. */
    } finally {
      filling = false;
    }
  }

  /* In place and by redraw: restyling x makes plotly guess the axis anew and lose the zoom.
     The figures may have moved on while the rows came. */
  async function redraw(meta, rows) {
    const plot = graph();
    const figures = northstar.live.figures();
    if (!plot) return;
    pending = [];
    const past = columns(rows, Date.parse(figures.as_of));
    const { x, net, base } = pluck(tail(past, point(figures, meta.offset), meta.offset));
    const x0 = past.start === null ? null : past.start + meta.offset;
    const columnsOf = [{ x0, y: past.base }, { x0, y: past.net }, { x: [...x], y: base }, { x, y: net }, { x: x.slice(-1), y: net.slice(-1) }];
    columnsOf.forEach((values, index) => Object.assign(plot.data[index], values));
    plot.layout.meta = meta;
    plot.layout.xaxis.title.text = caption(meta);
    await globalThis.Plotly.redraw(plot);
    const link = document.querySelector("[data-day-csv]");
    if (link) link.search = query(meta);
  }

  const query = (meta) => "?" + new URLSearchParams({ period: "1m", from: new Date(meta.start).toISOString() });

  function caption(meta) {
    const minutes = Math.abs(meta.offset) / MINUTE;
    const two = (number) => String(Math.floor(number)).padStart(2, "0");
    const sign = meta.offset < 0 ? northstar.format.MINUS : "+";
    return meta.zone + " (UTC" + sign + two(minutes / 60) + ":" + two(minutes % 60) + ")";
  }

  /* Colours of the scheme in force, from the stylesheet. */
  function dress() {
    const plot = graph();
    if (!plot) return;
    const style = getComputedStyle(document.documentElement);
    const token = (name) => style.getPropertyValue("--ns-" + name).trim();
    const scheme = document.documentElement.dataset.mantineColorScheme;
    if (plot.layout.meta.scheme === scheme) return;
    const axis = (name) => ({ [name + ".gridcolor"]: token("line"), [name + ".tickfont.color"]: token("muted"), [name + ".title.font.color"]: token("muted") });
    const layout = {
      ...axis("xaxis"), ...axis("yaxis"), "font.color": token("text"), meta: { ...plot.layout.meta, scheme },
      "hoverlabel.bgcolor": token("raised"), "hoverlabel.bordercolor": token("line-strong"), "hoverlabel.font.color": token("text"),
      "modebar.color": token("muted"), "modebar.activecolor": token("text"),
    };
    const lines = [token("muted"), token("accent"), token("muted"), token("accent")];
    const fills = [undefined, token("accent-soft"), undefined, token("accent-soft")];
    const dots = [undefined, undefined, undefined, undefined, token("accent")];
    globalThis.Plotly.update(plot, { "line.color": lines, fillcolor: fills, "marker.color": dots }, layout, ALL);
  }

  northstar.chart = { GRAPH, follow, refill, dress, point, columns, tail, missed, day, caption };
  if (typeof module === "object") module.exports = northstar.chart;
})((globalThis.northstar = globalThis.northstar || {}));
