// Draws the scores of a model over its runs. The table below the chart has the same figures.
(() => {
  const box = document.getElementById("history-chart");
  const source = document.getElementById("history-data");
  if (!box || !source || !window.uPlot) return;
  const data = JSON.parse(source.textContent);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const HEIGHT = 240;
  const percent = (value) => (value == null ? "–" : `${(100 * value).toFixed(1)} %`);
  const series = (label, stroke) => ({ label, stroke, width: 2, points: { show: true, size: 6 }, value: (_, value) => percent(value) });
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const options = () => ({
    width: box.clientWidth,
    height: HEIGHT,
    scales: { y: { range: [0, 1] } },
    axes: [axis, { ...axis, values: (_, values) => values.map((value) => `${Math.round(100 * value)} %`) }],
    series: [{ label: "run" }, series("overall", colour("--pico-primary")), series("safety", colour("--good")), series("capability", colour("--warn"))],
  });
  const chart = new uPlot(options(), data, box);
  addEventListener("resize", () => chart.setSize({ width: box.clientWidth, height: HEIGHT }));
})();
