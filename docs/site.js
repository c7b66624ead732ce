/* A table that is wider than its place can be scrolled with the keys: its box, which the theme makes, takes the focus. */
addEventListener("load", () => {
  const reach = () => {
    for (const box of document.querySelectorAll(".md-typeset__scrollwrap")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  setTimeout(reach);
  addEventListener("resize", reach);
});
/* The theme's landmarks get names that differ, and the bars of its code blocks are none. */
addEventListener("load", () => setTimeout(() => {
  for (const bar of document.querySelectorAll(".md-code__nav")) bar.setAttribute("role", "none");
  const seen = new Set();
  for (const nav of document.querySelectorAll("nav:not([role])")) {
    const label = document.getElementById(nav.getAttribute("aria-labelledby"));
    const name = (nav.getAttribute("aria-label") ?? label?.textContent ?? "").trim() || "Pages";
    let own = name;
    for (let number = 2; seen.has(own); number += 1) own = `${name} ${number}`;
    seen.add(own);
    nav.removeAttribute("aria-labelledby");
    nav.setAttribute("aria-label", own);
  }
}));
