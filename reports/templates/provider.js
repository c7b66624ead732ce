(() => {
  const file = document.body.dataset.evidence;

  async function fill(box) {
    const inside = box.querySelector(".inside");
    if (inside.dataset.filled) return;
    inside.dataset.filled = "1";
    try {
      const { exchanges } = await wirecheck.load(`../${file}`);
      inside.replaceChildren(...wirecheck.exchange(exchanges[box.dataset.x]));
    } catch (fault) {
      delete inside.dataset.filled;
      inside.replaceChildren(wirecheck.make("p", { text: fault.message }));
    }
  }

  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    target.scrollIntoView();
  }

  for (const box of document.querySelectorAll(".evidence")) {
    box.addEventListener("toggle", () => { if (box.open) fill(box); });
  }
  addEventListener("hashchange", reveal);
  reveal();
})();
