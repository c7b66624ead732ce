// Lets a Node program, and those of Node that it starts, reach loopback and nothing else. Loaded with --require
// before anything else.
"use strict";
const { syncBuiltinESMExports } = require("node:module");
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

// These ask a name server without a socket of Node's.
const asking = (name) => /^(resolve|reverse|lookupService)/.test(name);
for (const [place, refuse] of [
  [dns, (fault, done) => process.nextTick(() => done(fault))],
  [dns.Resolver.prototype, (fault, done) => process.nextTick(() => done(fault))],
  [dns.promises, (fault) => Promise.reject(fault)],
  [dns.promises.Resolver.prototype, (fault) => Promise.reject(fault)],
]) {
  for (let proto = place; proto && proto !== Object.prototype; proto = Object.getPrototypeOf(proto)) {
    for (const name of Object.getOwnPropertyNames(proto).filter(asking)) {
      place[name] = (host, ...rest) => refuse(refusal(host), rest.at(-1));
    }
  }
}

const send = dgram.Socket.prototype.send;
dgram.Socket.prototype.send = function (...args) {
  const host = args.find((each, at) => at > 0 && typeof each === "string");
  if (!near(host)) throw refusal(host);
  return send.apply(this, args);
};

const join = dgram.Socket.prototype.connect;
dgram.Socket.prototype.connect = function (port, host, ...rest) {
  if (typeof host === "string" && !near(host)) throw refusal(host);
  return join.call(this, port, host, ...rest);
};

process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} --require ${JSON.stringify(__filename)}`.trim();
syncBuiltinESMExports();
