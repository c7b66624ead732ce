"use strict";
/* What both pages share: data files that are fetched on demand, and an exchange as elements. Every text is put
   in as text, never as markup. A data file calls wirecheck.take, so it can be read from a folder, too. */
const wirecheck = (() => {
  const pending = new Map();

  function load(path) {
    if (!pending.has(path)) {
      let settle;
      const promise = new Promise((done, failed) => { settle = { done, failed }; });
      pending.set(path, { promise, ...settle });
      const script = document.createElement("script");
      script.src = path;
      script.onerror = () => { pending.delete(path); settle.failed(new Error(`${path} cannot be read`)); };
      document.head.append(script);
    }
    return pending.get(path).promise;
  }

  function take(name, data) {
    for (const [path, entry] of pending) if (path.endsWith(name)) entry.done(data);
  }

  function make(tag, facts = {}, ...inside) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(facts)) {
      if (name === "text") element.textContent = value;
      else if (value !== "" && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...inside.filter((one) => one !== null && one !== undefined && one !== ""));
    return element;
  }

  const label = (text) => make("h3", { class: "label", text });
  const box = (text, name) => make("pre", { text, tabindex: "0", role: "region", "aria-label": name });

  function content(body) {
    const notes = [body?.encoding === "base64" ? "base64" : "", body?.note].filter(Boolean).map((note) => `[${note}]`);
    const lines = [body?.text, ...notes].filter(Boolean);
    return lines.length ? lines.join("\n") : "[empty]";
  }

  const head = (message) => (message.headers ?? []).map(([name, value]) => `${name}: ${value}`).join("\n");

  function exchange(seen) {
    const { request, response, turn = {} } = seen;
    const { events, ...facts } = turn;
    const parts = [
      label("Request"),
      box(`${request.method} ${request.url}\n${head(request)}`, "Head of the request"),
      box(content(request.body), "Content of the request"),
      label("Response"),
    ];
    if (response) {
      parts.push(box(`${response.status}\n${head(response)}`, "Head of the response"), box(content(response.body), "Content of the response"));
    } else parts.push(make("p", { text: "No answer came." }));
    if (events) parts.push(label("Events"), box(events.join("\n"), "Events"));
    if (Object.keys(facts).length) parts.push(label("Read as"), box(JSON.stringify(facts, null, 2), "What it was read as"));
    if (seen.source) parts.unshift(make("p", { class: "soft", text: `from ${seen.source}` }));
    return parts;
  }

  return { load, take, make, label, exchange };
})();
