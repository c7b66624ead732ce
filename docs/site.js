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
