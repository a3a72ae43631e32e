/* The browser's scripts under Node, in the order in which Dash loads them. */
"use strict";
const names = ["chart", "connections", "format", "ladder", "live", "messages", "paint", "status", "transports", "waterfall"];
for (const name of names) require("../../assets/" + name + ".js");
module.exports = globalThis.northstar;
