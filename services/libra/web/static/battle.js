// Shows both answers of a turn while they arrive, and the page of the finished turn at the end.
(() => {
  const live = document.getElementById("live");
  if (!live) return;
  const status = document.getElementById("live-status");
  const sides = { a: document.getElementById("answer-a"), b: document.getElementById("answer-b") };
  for (const side of Object.values(sides)) side.textContent = "";
  const source = new EventSource(live.dataset.events);

  source.addEventListener("open", () => {
    // After a lost connection the answers are sent again from their beginning.
    for (const side of Object.values(sides)) side.textContent = "";
  });
  source.addEventListener("delta", (event) => {
    const delta = JSON.parse(event.data);
    if (delta.replaces) sides[delta.side].textContent = "";
    sides[delta.side].append(delta.text);
  });
  source.addEventListener("side_end", (event) => {
    const end = JSON.parse(event.data);
    sides[end.side].dataset.ended = end.problem || "complete";
  });
  source.addEventListener("battle", () => {
    source.close();
    location.reload();
  });
  source.addEventListener("problem", (event) => {
    source.close();
    status.textContent = `${JSON.parse(event.data).text} Load the page again to go on.`;
    status.className = "notice";
  });
})();
