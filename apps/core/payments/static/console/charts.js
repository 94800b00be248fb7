// The console's charts, by Chart.js: each canvas names what it draws; colours and direction are the page's.
"use strict";
(() => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name);
  const isRightToLeft = document.dir === "rtl";
  const formatOf = (places) => {
    const digits = { minimumFractionDigits: places, maximumFractionDigits: places };
    return new Intl.NumberFormat(document.documentElement.lang, digits).format;
  };
  const kinds = {
    balance: { type: "line", places: 2, stacked: false, style: { stepped: true, pointRadius: 0, pointHitRadius: 8 } },
    outcomes: { type: "bar", places: 0, stacked: true, style: { categoryPercentage: 1, barPercentage: 0.9 } },
  };
  for (const canvas of document.querySelectorAll(".chart canvas")) {
    const kind = kinds[canvas.id];
    const { moments, series } = JSON.parse(document.getElementById(`${canvas.id}-points`).textContent);
    const format = formatOf(kind.places);
    new Chart(canvas, {
      type: kind.type,
      data: {
        // the time above its day: both in a line would leave room for few
        labels: moments.map((moment) => moment.split(" ").reverse()),
        datasets: series.map(({ of, label, values }) => ({
          label,
          data: values.map(Number),
          borderColor: colour(`--chart-${of}`),
          backgroundColor: colour(`--chart-${of}`),
          ...kind.style,
        })),
      },
      options: {
        animation: false,
        maintainAspectRatio: false,
        // half of the last moment, which Chart.js leaves no room for when the axis is reversed
        layout: { padding: { [isRightToLeft ? "left" : "right"]: 40 } },
        plugins: {
          legend: { display: kind.stacked, rtl: isRightToLeft, labels: { color: colour("--body-fg") } },
          tooltip: {
            rtl: isRightToLeft,
            callbacks: {
              title: ([{ dataIndex }]) => moments[dataIndex],
              label: ({ dataset, parsed }) => `${dataset.label}: ${format(parsed.y)}`,
            },
          },
        },
        scales: {
          x: {
            reverse: isRightToLeft,
            stacked: kind.stacked,
            grid: { color: colour("--hairline-color") },
            ticks: { color: colour("--body-fg"), maxRotation: 0, autoSkipPadding: 16 },
          },
          y: {
            position: isRightToLeft ? "right" : "left",
            stacked: kind.stacked,
            grid: { color: colour("--hairline-color") },
            ticks: { color: colour("--body-fg"), precision: kind.places, callback: format },
          },
        },
      },
    });
  }
})();
