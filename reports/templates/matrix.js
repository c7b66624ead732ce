(() => {
  const { load, make, label, exchange } = wirecheck;
  const table = document.getElementById("cells");
  const main = document.getElementById("matrix");
  const form = document.querySelector(".filters");
  const shown = document.getElementById("shown");
  const none = document.getElementById("none");
  const compared = document.getElementById("compared");
  const panel = document.getElementById("panel");
  const byProvider = table.dataset.by === "provider";
  const field = (name) => form.elements.namedItem(name);
  const names = [...new Set([...form.elements].map((element) => element.name).filter(Boolean))];
  const words = Object.fromEntries([...document.querySelectorAll(".legend .state, #verdicts .state")]
    .map((badge) => [badge.classList[1], badge.textContent]));
  const WIDTH = 120; // of a column, as the style sheet has it
  const titleOf = (head) => head.textContent.toLowerCase();

  /* The table as it is read once: columns and rows; a chosen capability adds a column for each of its checks. */
  const groups = [...table.tHead.rows[0].cells].slice(1);
  const columns = [...table.tHead.rows[1].cells].map((head) => ({ head, capability: head.dataset.c, title: titleOf(head) }));
  const own = columns.length;
  const rows = [...table.tBodies[0].rows].map((row) => {
    const { p: provider, w: protocol, s: subject } = row.dataset;
    const [title, ...cells] = row.cells;
    return {
      row, provider, protocol, subject, cells,
      key: byProvider ? `${provider}/${protocol}` : subject,
      name: `${title.firstElementChild.textContent}${protocol ? `, ${protocol}` : ""}`,
      text: title.textContent.toLowerCase(),
    };
  });
  const rowOf = new Map(rows.map((entry) => [entry.key, entry]));

  const value = (name) => (field(name).type === "checkbox" ? (field(name).checked ? "1" : "") : field(name).value.trim());
  const wanted = () => Object.fromEntries(names.map((name) => [name, value(name)]));

  /* Filters */
  const rowMatches = (want, entry) =>
    (!want.provider || entry.provider === want.provider) &&
    (!want.protocol || entry.protocol === want.protocol) &&
    (!want.subject || entry.subject === want.subject);

  function cellMatches(want, entry, cell, column) {
    if (want.capability && column.capability !== want.capability) return false;
    if (want.verdict && !cell.classList.contains(want.verdict)) return false;
    if (want.origin && cell.dataset.o !== want.origin) return false;
    if (want.age && (cell.dataset.a || "never") !== want.age) return false;
    if (want.change && !cell.firstElementChild.dataset.b) return false;
    if (!want.text) return true;
    return entry.text.includes(want.text) || column.title.includes(want.text) || cell.firstElementChild.title.toLowerCase().includes(want.text);
  }

  /* What stays as it is is not touched: that is what a filter of a large table would spend its time on. */
  function lay(cell, kept, hit) {
    if (cell.hidden === kept) cell.hidden = !kept;
    if (kept && cell.classList.contains("dim") === hit) cell.classList.toggle("dim", !hit);
  }

  /* The rows that can be seen are laid out first; the others follow once these are painted. */
  const LOW = 40; // a row's least height, and one that few exceed
  const HIGH = 64;
  let waiting = 0;
  function inView() {
    const above = Math.max(0, main.scrollTop - table.offsetTop);
    return { first: Math.floor(above / HIGH) - 1, last: Math.ceil((above + main.clientHeight) / LOW) };
  }

  function defer({ first, last }) {
    let place = 0;
    for (const { row } of rows) {
      row.classList.toggle("later", !row.hidden && (place < first || place > last));
      if (!row.hidden) place += 1;
    }
    const turn = waiting += 1;
    requestAnimationFrame(() => setTimeout(() => {
      if (turn === waiting) for (const { row } of rows) row.classList.remove("later");
    }));
  }

  function apply() {
    const view = inView();
    const want = wanted();
    want.text = want.text.toLowerCase();
    const byCell = ["text", "capability", "verdict", "origin", "age", "change"].some((name) => want[name]);
    const used = columns.map(() => !byCell);
    let count = 0;
    for (const entry of rows) {
      entry.hits = rowMatches(want, entry) ? entry.cells.map((cell, place) => !byCell || cellMatches(want, entry, cell, columns[place])) : [];
      entry.hits.forEach((hit, place) => { if (hit) used[place] = true; });
      const any = entry.hits.includes(true);
      if (entry.row.hidden === any) entry.row.hidden = !any;
      if (any) count += 1;
    }
    columns.forEach(({ head }, place) => { head.hidden = !used[place]; });
    for (const entry of rows) {
      if (!entry.row.hidden) entry.cells.forEach((cell, place) => lay(cell, used[place], entry.hits[place]));
    }
    defer(view);
    let start = 0;
    for (const group of groups.concat(extra ?? [])) {
      const span = Number(group.dataset.n);
      const kept = used.slice(start, start + span).filter(Boolean).length;
      group.hidden = !kept;
      if (kept) group.colSpan = kept;
      group.style.width = `${kept * WIDTH}px`;
      start += span;
    }
    const pair = byProvider && rowOf.has(want.a) && rowOf.has(want.b);
    shown.textContent = `${count} of ${rows.length} rows`;
    none.hidden = count > 0 || pair;
    table.hidden = count === 0 || pair;
    compared.hidden = !pair;
    if (pair) compare(rowOf.get(want.a), rowOf.get(want.b), Boolean(want.differences));
    enter();
  }

  const answers = (cell) => cell?.tagName === "TD" && !cell.hidden && !cell.classList.contains("dim");

  /* One cell at a time is a stop of the Tab key; the arrow keys go on from there. */
  let stop = null;
  function enter(link) {
    if (stop?.isConnected && !link && answers(stop.parentElement) && !stop.closest("[hidden]")) return;
    const next = link ?? rows.find((entry) => !entry.row.hidden)?.cells.find(answers)?.firstElementChild;
    if (!next) return;
    if (stop) stop.tabIndex = -1;
    next.tabIndex = 0;
    stop = next;
  }

  /* The checks of one capability, as columns of their own */
  let extra = null;
  let expanded = "";
  function collapse() {
    if (!extra) return;
    for (const column of columns.splice(own)) column.head.remove();
    for (const entry of rows) for (const cell of entry.cells.splice(own)) cell.remove();
    extra.remove();
    extra = null;
  }

  const LETTERS = { s: "skipped", p: "passed", w: "warned", e: "errored", f: "failed" };
  async function expand(capability) {
    if (expanded === capability || !byProvider) return;
    expanded = capability;
    collapse();
    if (!capability) return;
    const data = await load("checks.js").catch(() => null);
    if (expanded !== capability || !data) return;
    const places = data.checks.map((check, place) => ({ check, place })).filter(({ check }) => check.capability === capability);
    if (!places.length) return;
    extra = make("th", { role: "columnheader", scope: "colgroup", "data-n": String(places.length), colspan: String(places.length) }, make("span", { text: "Its checks" }));
    table.tHead.rows[0].append(extra);
    for (const { check } of places) {
      const head = make("th", { role: "columnheader", scope: "col", title: `${check.level}: ${check.requirement}`, text: check.id.split(".").slice(1).join(".").replaceAll("_", " ") });
      table.tHead.rows[1].append(head);
      columns.push({ head, capability, title: `${check.id} ${check.requirement}`.toLowerCase(), check: check.id });
    }
    for (const entry of rows) {
      const letters = data.rows[entry.key] ?? "";
      for (const { check, place } of places) {
        const verdict = LETTERS[letters[place]] ?? "";
        const told = verdict ? words[verdict] : "not run";
        const link = make("a", { href: `#${new URLSearchParams({ cell: `${entry.key}/${capability}`, check: check.id })}`, title: `${check.id}: ${check.requirement}`, tabindex: "-1", text: told });
        const cell = make("td", { role: "cell", class: verdict || "unknown" }, link);
        cell.dataset.check = check.id;
        entry.cells.push(cell);
        entry.row.append(cell);
      }
    }
    apply();
  }

  /* Rows that are boxes of their own can be skipped by the browser; what they are is then said in words. */
  function flow() {
    table.setAttribute("role", "table");
    for (const part of [table.tHead, ...table.tBodies]) part.setAttribute("role", "rowgroup");
    for (const row of table.rows) {
      row.setAttribute("role", "row");
      for (const cell of row.cells) cell.setAttribute("role", { col: "columnheader", colgroup: "columnheader", row: "rowheader" }[cell.scope] ?? "cell");
    }
    table.classList.add("fluent");
  }

  /* Two providers side by side */
  function compare(one, other, onlyDifferences) {
    const body = make("tbody");
    let differing = 0;
    columns.slice(0, own).forEach(({ head, capability }, place) => {
      const pair = [one, other].map((entry) => {
        const cell = entry.cells[place].cloneNode(true);
        cell.hidden = false;
        cell.removeAttribute("role");
        cell.classList.remove("dim");
        cell.firstElementChild.tabIndex = 0;
        cell.dataset.key = entry.key;
        cell.dataset.c = capability;
        return cell;
      });
      const differs = pair[0].classList[0] !== pair[1].classList[0];
      differing += differs;
      if (differs || !onlyDifferences) {
        body.append(make("tr", {}, make("th", { scope: "row", text: head.textContent }), ...pair, make("td", { class: "mark", text: differs ? "≠ differs" : "= same" })));
      }
    });
    const heads = ["Capability", one.name, other.name, "Compared"].map((text) => make("th", { scope: "col", text }));
    const more = make("div");
    compared.replaceChildren(
      make("h2", { text: `${one.name} and ${other.name}` }),
      make("p", { class: "facts", text: `${differing} of ${own} capabilities differ.` }),
      make("table", {}, make("thead", {}, make("tr", {}, ...heads)), body),
      more,
    );
    load("checks.js").then((data) => {
      const [left, right] = [data.rows[one.key] ?? "", data.rows[other.key] ?? ""];
      const differ = data.checks.map((check, place) => [check, left[place], right[place]])
        .filter(([, a, b]) => LETTERS[a] && LETTERS[b] && a !== b);
      if (!differ.length) { more.append(make("p", { class: "facts", text: "No check that was run on both says two things." })); return; }
      const found = differ.map(([check, a, b]) => make("tr", {}, make("th", { scope: "row" }, check.requirement, make("small", { text: check.id })),
        ...[a, b].map((letter) => make("td", { class: LETTERS[letter] }, make("span", { class: "told", text: words[LETTERS[letter]] })))));
      const names = ["Check", one.name, other.name].map((text) => make("th", { scope: "col", text }));
      more.append(make("h2", { text: "Checks that differ" }), make("table", {}, make("thead", {}, make("tr", {}, ...names)), make("tbody", {}, ...found)));
    }).catch(() => {});
  }

  /* Another run: its matrix.json, as the older one */
  async function older(file) {
    let data;
    try { data = JSON.parse(await file.text()); } catch { data = null; }
    if (data?.format !== "wirecheck-matrix" || !Array.isArray(data.rows)) { shown.textContent = `${file.name} is no matrix.json`; return; }
    const ids = data.groups.flatMap((group) => group.capabilities.map((capability) => capability.id));
    const was = new Map(data.rows.map((row) => [data.by === "provider" ? `${row.provider}/${row.protocol}` : row.subject,
      new Map(row.cells.map((cell, place) => [ids[place], cell.state]))]));
    let differing = 0;
    for (const entry of rows) {
      columns.slice(0, own).forEach(({ capability }, place) => {
        const cell = entry.cells[place];
        const state = was.get(entry.key)?.get(capability);
        const link = cell.firstElementChild;
        delete link.dataset.b;
        if (state && words[state] && !cell.classList.contains(state)) { link.dataset.b = words[state]; differing += 1; }
      });
    }
    field("change").closest("label").hidden = false;
    field("change").value = differing ? "changed" : "";
    update();
    shown.textContent = `${differing} cells differ from ${file.name}${data.today ? `, as of ${data.today}` : ""}`;
  }

  /* What is behind a cell */
  let opened = { cell: "", check: "" };
  const badge = (state) => make("span", { class: `state ${state}`, text: words[state] });
  const web = (address, text) => (/^https?:/.test(address) ? make("a", { href: address, rel: "noopener noreferrer", text }) : text);

  function proof(id, exchanges, open) {
    const seen = exchanges[id];
    if (!seen) return null;
    const inside = make("div", { class: "inside" });
    const details = make("details", { class: "evidence" },
      make("summary", {}, make("code", { text: id }), make("span", { class: "soft", text: ` ${seen.origin ?? ""} ${seen.date ?? ""}${seen.response ? `, status ${seen.response.status}` : ""}` })), inside);
    details.addEventListener("toggle", () => { if (details.open && !inside.childElementCount) inside.append(...exchange(seen)); });
    details.open = open;
    return details;
  }

  function result(found, exchanges, open) {
    const facts = [["scenario", found.scenario], ["fault", found.fault], ["blames", found.blame], ["expected", found.expected],
      ["seen", found.observed], ["where", found.where], ["origin", [found.origin, found.date].filter(Boolean).join(" ")]].filter(([, text]) => text);
    return make("div", { class: `told ${found.verdict ?? "passed"}` },
      make("p", {}, badge(found.verdict ?? "passed"), ` ${found.reason ?? ""}`),
      make("dl", {}, ...facts.flatMap(([name, text]) => [make("dt", { text: name }), make("dd", { text })])),
      ...(found.exchanges ?? []).map((id, place) => proof(id, exchanges, open && place === 0)));
  }

  function listed(title, found, exchanges) {
    if (!found.length) return [];
    return [label(title), make("ul", { class: "passes soft" }, ...found.map((one) =>
      make("li", {}, [one.scenario ?? "no scenario", one.fault, one.reason, one.origin, one.date].filter(Boolean).join(", "),
        ...(one.exchanges ?? []).map((id) => proof(id, exchanges, false)))))];
  }

  function requirement(judged, exchanges, open) {
    const inside = make("div", { class: "inside" });
    const box = make("details", { class: "check" },
      make("summary", {}, badge(judged.verdict), make("span", { class: "sentence", text: judged.requirement }), make("span", { class: "soft", text: judged.counts })), inside);
    const fill = () => {
      if (inside.childElementCount) return;
      inside.append(make("p", { class: "soft" }, make("code", { text: judged.id }), ` · ${judged.level} · source: `, web(judged.source ?? "none", judged.source ?? "none")));
      const [told, passed] = [judged.told ?? [], judged.passed ?? []];
      const all = judged.verdict === "passed" && passed.length;
      inside.append(...(all ? passed.slice(0, 1) : told).map((found, place) => result(found, exchanges, place === 0)));
      inside.append(...listed("Passed, too", all ? passed.slice(1) : passed, exchanges), ...listed("Skipped", all ? told : [], exchanges));
    };
    box.addEventListener("toggle", () => { if (box.open) fill(); });
    if (open) { fill(); box.open = true; }
    return box;
  }

  async function show() {
    const { cell, check } = opened;
    const entry = rows.find((one) => cell.startsWith(`${one.key}/`));
    const place = columns.slice(0, own).findIndex((column) => entry && cell === `${entry.key}/${column.capability}`);
    if (!byProvider || place < 0) { if (panel.open) panel.close(); return; }
    const source = entry.cells[place];
    const close = make("button", { type: "button", text: "Close", "aria-keyshortcuts": "Escape" });
    close.addEventListener("click", () => panel.close());
    const inside = make("div", { class: "body" }, make("p", { class: "soft", text: "Reading the evidence …" }));
    panel.replaceChildren(
      make("div", { class: "bar" }, make("h2", { id: "panel-title", text: `${columns[place].head.textContent} · ${entry.name}` }), close),
      make("p", {}, badge(source.classList[0]), make("span", { class: "soft", text: ` ${source.firstElementChild.title.replaceAll("\n", " · ")} ` }),
        make("a", { href: source.firstElementChild.getAttribute("href"), text: "on the provider’s page" })),
      inside,
    );
    if (!panel.open) panel.showModal();
    panel.scrollTop = 0;
    try {
      const data = await load(`evidence/${entry.provider || "_any"}.js`);
      if (opened.cell !== cell) return;
      const part = data.cells[entry.protocol]?.[columns[place].capability] ?? {};
      const claims = (part.claims ?? []).map((claim) => make("li", {}, make("code", { text: claim.feature }), ` ${claim.said}`,
        claim.source ? " (" : null, claim.source ? web(claim.source, "source") : null, claim.source ? `${claim.read ? `, read ${claim.read}` : ""})` : null));
      const checks = part.checks ?? [];
      const first = Math.max(0, checks.findIndex((judged) => judged.id === check));
      inside.replaceChildren(
        claims.length ? make("ul", { class: "claims soft" }, ...claims) : "",
        ...checks.map((judged, at) => requirement(judged, data.exchanges ?? {}, at === first)),
        checks.length ? "" : make("p", { text: "No check has looked at this." }),
      );
      if (check) inside.querySelectorAll(".check")[first]?.scrollIntoView();
    } catch (fault) {
      inside.replaceChildren(make("p", { text: fault.message }));
    }
  }

  function choose(cell) {
    const row = cell.closest("tr");
    const entry = rows.find((one) => one.row === row) ?? rowOf.get(cell.dataset.key);
    const capability = cell.dataset.c ?? columns[entry.cells.indexOf(cell)].capability;
    opened = { cell: `${entry.key}/${capability}`, check: cell.dataset.check ?? "" };
    save(true);
    show();
  }

  /* The address holds everything that was chosen */
  function save(anew) {
    const kept = Object.entries({ ...wanted(), ...opened }).filter(([, text]) => text);
    history[anew ? "pushState" : "replaceState"](null, "", `#${new URLSearchParams(kept)}`);
  }

  function read() {
    const kept = new URLSearchParams(location.hash.slice(1));
    const unknown = [];
    for (const name of names) {
      if (field(name).type === "checkbox") field(name).checked = kept.has(name);
      else field(name).value = kept.get(name) ?? "";
      if (field(name).selectedIndex === -1) { field(name).selectedIndex = 0; unknown.push(`${name} “${kept.get(name)}”`); }
    }
    field("a").closest("details").open ||= Boolean(value("a"));
    opened = { cell: kept.get("cell") ?? "", check: kept.get("check") ?? "" };
    expand(value("capability"));
    apply();
    if (unknown.length) shown.textContent += `; not known here: ${unknown.join(", ")}`;
    show();
  }

  function update() {
    const page = field("subject").selectedOptions[0]?.dataset.page;
    if (page) {
      const kept = new URLSearchParams(Object.entries(wanted()).filter(([name, text]) => text && name !== "subject"));
      location.href = `${page}#${kept}`;
      return;
    }
    expand(value("capability"));
    apply();
    save();
  }

  /* Keys */
  function move(event) {
    const link = event.target.closest("td a");
    if (!link || event.altKey || event.metaKey) return;
    const far = { Home: (all) => all[0], End: (all) => all.at(-1) }[event.key];
    if (event.ctrlKey) {
      if (!far) return;
      event.preventDefault();
      far(rows.filter((entry) => !entry.row.hidden).flatMap((entry) => entry.cells.filter(answers)))?.querySelector("a").focus();
      return;
    }
    const cell = link.parentElement;
    const row = [...cell.parentElement.cells];
    const column = row.indexOf(cell);
    const beside = (way) => {
      for (let at = column + way; at in row; at += way) if (answers(row[at])) return row[at];
      return null;
    };
    const beyond = (way) => {
      for (let at = cell.parentElement; at; at = way > 0 ? at.nextElementSibling : at.previousElementSibling) {
        if (at !== cell.parentElement && !at.hidden && answers(at.cells[column])) return at.cells[column];
      }
      return null;
    };
    const target = {
      ArrowLeft: () => beside(-1),
      ArrowRight: () => beside(1),
      ArrowUp: () => beyond(-1),
      ArrowDown: () => beyond(1),
      Home: () => row.find(answers),
      End: () => row.filter(answers).at(-1),
    }[event.key]?.();
    if (target === undefined) return;
    event.preventDefault();
    target?.querySelector("a")?.focus();
  }

  for (const link of table.querySelectorAll("td a")) link.tabIndex = -1;
  flow();
  for (const name of ["a", "b"]) field(name).append(...rows.map((entry) => make("option", { value: entry.key, text: entry.name })));
  form.querySelector(".compare").hidden = !byProvider && !form.querySelector("[type=file]");
  form.addEventListener("input", (event) => { if (event.target.type !== "file") update(); });
  form.querySelector("[type=file]").addEventListener("change", (event) => { if (event.target.files[0]) older(event.target.files[0]); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(update));
  table.addEventListener("keydown", move);
  table.addEventListener("focusin", (event) => { const link = event.target.closest("td a"); if (link) enter(link); });
  main.addEventListener("click", (event) => {
    const cell = event.target.closest("td a")?.parentElement;
    if (!cell || !byProvider || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(cell);
  });
  panel.addEventListener("close", () => { if (opened.cell) { opened = { cell: "", check: "" }; save(); } });
  panel.addEventListener("click", (event) => { if (event.target === panel) panel.close(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !panel.open && !event.target.closest("input, select, textarea")) { event.preventDefault(); field("text").focus(); }
  });
  addEventListener("popstate", read);
  const more = form.querySelector(".more");
  more.open = matchMedia("(min-width: 641px)").matches || [...new URLSearchParams(location.hash.slice(1)).keys()].some((name) => field(name)?.closest(".more"));
  form.hidden = false;
  read();
})();
