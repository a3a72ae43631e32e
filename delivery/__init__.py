"""The door to machines: the live document, series, lists and health over HTTP, SSE and sockets."""
