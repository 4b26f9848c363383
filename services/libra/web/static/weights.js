// Shows the ranking at the weight of the slider, from the ranges in the page.
(() => {
  const slider = document.getElementById("weight");
  const data = document.getElementById("weight-data");
  if (!slider || !data) return;
  const ranges = JSON.parse(data.textContent);
  const list = document.getElementById("ranking");
  const shown = document.getElementById("weight-shown");
  const MAX_SHOWN = 15;

  const update = () => {
    const weight = slider.value / 100;
    const range = ranges.find(([low, high]) => low <= weight && weight <= high);
    shown.textContent = `${slider.value} %`;
    list.replaceChildren(...(range ? range[2] : []).slice(0, MAX_SHOWN).map((name) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `/models/${encodeURIComponent(name)}`;
      link.textContent = name;
      item.append(link);
      return item;
    }));
  };
  slider.addEventListener("input", update);
  slider.addEventListener("change", () => {
    const url = new URL(location.href);
    url.searchParams.set("weight", slider.value);
    history.replaceState(null, "", url);
  });
})();
