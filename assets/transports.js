/* Transports behind one interface: open(effect), close(effect). Each reports {type: "message" | "closed", id}.

   Three are mounted: dash_extensions.WebSocket, the browser's own EventSource, dcc.Interval.
   `nativeSocket` stands beside the first as its alternative (shell config `socket: "native"`). */
"use strict";
(function (northstar) {
  const SOCKET = "live-socket";
  const POLL = "live-poll";
  const PATIENCE = 8000;
  const set = (id, props) => globalThis.dash_clientside.set_props(id, props);

  /* `id` makes each address its own, so that the component opens anew even where it left off. */
  function query({ id, epoch, after }) {
    return "?" + new URLSearchParams({ epoch, after, connection: id });
  }

  function socketAddress(effect) {
    const address = new URL("/ws/pnl" + query(effect), globalThis.location.href);
    address.protocol = address.protocol.replace("http", "ws");
    return address.href;
  }

  /* The component tells of sockets it has already closed: what is older than `since` is not ours.
     Its `error` says nothing that CLOSED does not say after it. */
  function componentSocket(report) {
    let current = null;
    const ours = (event) => current !== null && event && event.timeStamp >= current.since;
    return {
      open(effect) {
        current = { id: effect.id, since: performance.now() };
        set(SOCKET, { url: socketAddress(effect) });
      },
      close({ id }) {
        if (!current || current.id !== id) return;
        current = null;
        set(SOCKET, { url: "" });
      },
      message(event) {
        if (ours(event)) report({ type: "message", id: current.id, message: JSON.parse(event.data) });
      },
      state(event) {
        if (ours(event) && event.readyState === WebSocket.CLOSED) report({ type: "closed", id: current.id });
      },
    };
  }

  function nativeSocket(report) {
    const sockets = new Map();
    return {
      open(effect) {
        const socket = new WebSocket(socketAddress(effect));
        socket.onmessage = (event) => report({ type: "message", id: effect.id, message: JSON.parse(event.data) });
        socket.onclose = () => report({ type: "closed", id: effect.id });
        sockets.set(effect.id, socket);
      },
      close({ id }) {
        const socket = sockets.get(id);
        sockets.delete(id);
        if (socket) Object.assign(socket, { onmessage: null, onclose: null }).close();
      },
    };
  }

  /* Its own reconnecting is switched off by closing: the ladder alone decides when to come back. */
  function eventSource(report) {
    const streams = new Map();
    const close = ({ id }) => {
      if (streams.has(id)) streams.get(id).close();
      streams.delete(id);
    };
    return {
      open(effect) {
        const stream = new EventSource("/api/pnl/stream" + query(effect));
        stream.onmessage = (event) => report({ type: "message", id: effect.id, message: JSON.parse(event.data) });
        stream.onerror = () => {
          close(effect);
          report({ type: "closed", id: effect.id });
        };
        streams.set(effect.id, stream);
      },
      close,
    };
  }

  /* dcc.Interval calls `northstar.poll` while it is not disabled. */
  function interval() {
    return {
      open: () => set(POLL, { disabled: false }),
      close: () => set(POLL, { disabled: true }),
      pace: ({ milliseconds }) => set(POLL, { interval: milliseconds }),
    };
  }

  /* Without a position there is no resume: the plain document is a snapshot. */
  const said = (body) => body.messages || [{ type: "snapshot", epoch: body.epoch, seq: body.seq, data: body }];

  /* One HTTP fetch for boot, gaps, verdicts and polls. */
  async function ask(effect, report) {
    const { id } = effect;
    let status, retryAfter;
    try {
      const answer = await fetch("/api/pnl/current" + (effect.epoch ? query(effect) : ""), {
        cache: "no-store", headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE),
      });
      status = answer.status;
      retryAfter = Number(answer.headers.get("Retry-After")) || undefined;
      if (answer.ok) return report({ type: "fetched", id, messages: said(await answer.json()) });
    } catch {
      status = undefined;
    }
    report({ type: "fetch_failed", id, status, retryAfter });
  }

  northstar.transports = { SOCKET, POLL, componentSocket, nativeSocket, eventSource, interval, ask };
  if (typeof module === "object") module.exports = northstar.transports;
})((globalThis.northstar = globalThis.northstar || {}));
