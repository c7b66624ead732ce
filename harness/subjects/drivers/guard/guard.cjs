// Lets a Node program reach loopback and nothing else. Loaded with --require before anything else.
"use strict";
const net = require("node:net");
const dns = require("node:dns");
const dgram = require("node:dgram");

const near = (host) =>
  host === undefined || host === null || host === "" || host === "localhost" || host === "::1" ||
  (net.isIPv4(String(host)) && String(host).startsWith("127."));

const refusal = (host) =>
  Object.assign(new Error(`wirecheck: nothing beyond loopback: ${host}`), { code: "ENETUNREACH" });

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const first = Array.isArray(args[0]) ? args[0][0] : args[0];
  const host =
    typeof first === "object" && first !== null ? first.path ? undefined : first.host
      : typeof first === "string" && !/^\d+$/.test(first) ? undefined
        : typeof args[1] === "string" ? args[1] : undefined;
  if (!near(host)) {
    process.nextTick(() => this.destroy(refusal(host)));
    return this;
  }
  return connect.apply(this, args);
};

const lookup = dns.lookup;
dns.lookup = (host, ...rest) =>
  near(host) ? lookup(host, ...rest) : process.nextTick(() => rest.at(-1)(refusal(host)));
dns.promises.lookup = ((original) => (host, ...rest) =>
  near(host) ? original(host, ...rest) : Promise.reject(refusal(host)))(dns.promises.lookup);

const send = dgram.Socket.prototype.send;
dgram.Socket.prototype.send = function (...args) {
  const host = args.find((each, at) => at > 0 && typeof each === "string");
  if (!near(host)) throw refusal(host);
  return send.apply(this, args);
};
