/* How figures, ages and clock times read; exact decimals, no floating point where cents round. */
"use strict";
(function (northstar) {
  const MINUS = "\u2212";
  const UNKNOWN = "\u2013";

  /* Micro-dollars of a wire number. toFixed(6) recovers the six decimals that were sent for
     every amount below 2^33 dollars, where doubles are still finer than a micro-dollar. */
  function micro(value) {
    return BigInt(Number(value).toFixed(6).replace(".", ""));
  }

  function halfEven(numerator, denominator) {
    const negative = numerator < 0n;
    const size = negative ? -numerator : numerator;
    const rest = size % denominator;
    let quotient = size / denominator;
    if (2n * rest > denominator || (2n * rest === denominator && quotient % 2n === 1n)) quotient += 1n;
    return negative ? -quotient : quotient;
  }

  function grouped(digits) {
    return digits.replace(/\B(?=(\d{3})+$)/g, ",");
  }

  /* Dollars and cents, rounded half to even; `plus` marks gains as well as losses. */
  function money(value, plus) {
    const cents = halfEven(micro(value), 10000n);
    const digits = String(cents < 0n ? -cents : cents).padStart(3, "0");
    const sign = cents < 0n ? MINUS : plus && cents > 0n ? "+" : "";
    return sign + "$" + grouped(digits.slice(0, -2)) + "." + digits.slice(-2);
  }

  function count(value) {
    const [whole, part] = String(Math.abs(value)).split(".");
    return (value < 0 ? MINUS : "") + grouped(whole) + (part ? "." + part : "");
  }

  /* gain, loss or flat, judged by the cents that are shown. */
  function sign(value) {
    const cents = halfEven(micro(value), 10000n);
    return cents > 0n ? "gain" : cents < 0n ? "loss" : "flat";
  }

  function age(milliseconds) {
    const seconds = Math.max(0, Math.floor(milliseconds / 1000));
    if (seconds < 60) return seconds + " s";
    if (seconds < 3600) return Math.floor(seconds / 60) + " min";
    if (seconds < 172800) return Math.floor(seconds / 3600) + " h";
    return Math.floor(seconds / 86400) + " d";
  }

  const formats = {};

  function wall(milliseconds, zone) {
    const key = zone || "UTC";
    formats[key] = formats[key] || new Intl.DateTimeFormat("en-GB", {
      timeZone: key, hourCycle: "h23", year: "numeric", month: "short", day: "numeric",
      hour: "2-digit", minute: "2-digit", second: "2-digit",
    });
    const parts = {};
    for (const part of formats[key].formatToParts(milliseconds)) parts[part.type] = part.value;
    return parts;
  }

  function hourMinute(milliseconds, zone) {
    const at = wall(milliseconds, zone);
    return at.hour + ":" + at.minute;
  }

  function time(milliseconds, zone) {
    const at = wall(milliseconds, zone);
    return at.hour + ":" + at.minute + ":" + at.second;
  }

  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

  function date(milliseconds, zone) {
    const at = wall(milliseconds, zone);
    /* en-GB writes «Sept»; one spelling everywhere. */
    return at.day + " " + MONTHS.find((name) => at.month.startsWith(name)) + " " + at.year;
  }

  function sinceMidnight(milliseconds, zone) {
    const at = wall(milliseconds, zone);
    return ((Number(at.hour) * 60 + Number(at.minute)) * 60 + Number(at.second)) * 1000 + (milliseconds % 1000);
  }

  /* The first instant of the day shown in `zone`; days of 23 and 25 hours included. */
  function dayStart(milliseconds, zone) {
    const guess = milliseconds - sinceMidnight(milliseconds, zone);
    const off = sinceMidnight(guess, zone);
    return off === 0 ? guess : off < 43200000 ? guess - off : guess + 86400000 - off;
  }

  /* Wall clock minus UTC in `zone`, for axes that know no zones. */
  function offset(milliseconds, zone) {
    const at = wall(milliseconds, zone);
    const month = MONTHS.findIndex((name) => at.month.startsWith(name));
    const shown = Date.UTC(at.year, month, at.day, at.hour, at.minute, at.second);
    return shown - Math.floor(milliseconds / 1000) * 1000;
  }

  northstar.format = { MINUS, UNKNOWN, micro, halfEven, money, count, sign, age, hourMinute, time, date, dayStart, offset };
  if (typeof module === "object") module.exports = northstar.format;
})((globalThis.northstar = globalThis.northstar || {}));
