"use strict";
(() => {
  const table = document.querySelector("table");
  const form = document.querySelector(".filters");
  const shown = document.getElementById("shown");
  const none = document.getElementById("none");
  const heads = [...table.tHead.rows[1].cells];
  const groups = [...table.tHead.rows[0].cells].slice(1);
  const titles = heads.map((head) => head.textContent.toLowerCase());
  const rows = [...table.tBodies[0].rows].map((row) => ({
    row,
    provider: row.dataset.p,
    protocol: row.dataset.w,
    text: row.cells[0].textContent.toLowerCase(),
    cells: [...row.cells].slice(1),
  }));
  const names = [...form.elements].map((element) => element.name).filter(Boolean);

  const wanted = () => Object.fromEntries(names.map((name) => [name, form.elements[name].value.trim()]));

  function matches(want, entry, cell, column) {
    const link = cell.firstElementChild;
    if (want.state && !cell.classList.contains(want.state)) return false;
    if (want.origin && cell.dataset.o !== want.origin) return false;
    if (!want.text) return true;
    return entry.text.includes(want.text) || titles[column].includes(want.text) || link.title.toLowerCase().includes(want.text);
  }

  function apply() {
    const want = wanted();
    want.text = want.text.toLowerCase();
    const byCell = want.text || want.state || want.origin;
    const used = new Array(heads.length).fill(!byCell);
    let count = 0;
    for (const entry of rows) {
      let any = false;
      if ((!want.provider || entry.provider === want.provider) && (!want.protocol || entry.protocol === want.protocol)) {
        entry.cells.forEach((cell, column) => {
          const hit = matches(want, entry, cell, column);
          cell.classList.toggle("dim", !hit);
          if (hit) any = used[column] = true;
        });
      }
      entry.row.hidden = !any;
      if (any) count += 1;
    }
    heads.forEach((head, column) => { head.hidden = !used[column]; });
    for (const entry of rows) if (!entry.row.hidden) entry.cells.forEach((cell, column) => { cell.hidden = !used[column]; });
    let start = 0;
    for (const group of groups) {
      const span = Number(group.dataset.n);
      const kept = used.slice(start, start + span).filter(Boolean).length;
      group.hidden = !kept;
      if (kept) group.colSpan = kept;
      start += span;
    }
    shown.textContent = `${count} of ${rows.length} rows`;
    none.hidden = count > 0;
    table.hidden = count === 0;
  }

  function save() {
    const kept = Object.entries(wanted()).filter(([, value]) => value);
    history.replaceState(null, "", "#" + new URLSearchParams(kept));
  }

  function load() {
    const kept = new URLSearchParams(location.hash.slice(1));
    for (const name of names) form.elements[name].value = kept.get(name) ?? "";
    apply();
  }

  function move(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const cell = event.target.closest("td");
    if (!step || !cell) return;
    event.preventDefault();
    const next = (node, way, column) => {
      do node = way > 0 ? node?.nextElementSibling : node?.previousElementSibling; while (node?.hidden);
      return column === undefined ? node : node?.cells[column];
    };
    const target = step[1] ? next(cell, step[1]) : next(cell.parentElement, step[0], cell.cellIndex);
    target?.querySelector("a")?.focus();
  }

  form.addEventListener("input", () => { apply(); save(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { apply(); save(); }));
  table.addEventListener("keydown", move);
  addEventListener("hashchange", load);
  form.hidden = false;
  load();
})();
