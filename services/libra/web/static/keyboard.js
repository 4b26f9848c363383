// Lets j, k and the arrow keys follow the links with rel="next" and rel="prev".
"use strict";

const RELATIONS = { j: "next", ArrowRight: "next", k: "prev", ArrowLeft: "prev" };

document.addEventListener("keydown", (event) => {
  const relation = RELATIONS[event.key];
  const isTyping = event.target.closest("input, textarea, select, [role=region]");
  if (!relation || isTyping || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const link = document.querySelector(`a[rel="${relation}"]`);
  if (link) {
    event.preventDefault();
    link.click();
  }
});
