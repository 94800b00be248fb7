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
    const { moments, series, seconds, ticks } = JSON.parse(document.getElementById(`${canvas.id}-points`).textContent);
    const format = formatOf(kind.places);
    // the time above its day: both in a line would leave room for few
    const inTwoLines = (moment) => moment.split(" ").reverse();
    const labels = new Map(ticks);
    const scaleOfTime = {
      type: "linear",
      bounds: "data",
      afterBuildTicks: (axis) => (axis.ticks = ticks.map(([value]) => ({ value }))),
    };
    new Chart(canvas, {
      type: kind.type,
      data: {
        labels: moments.map(inTwoLines),
        datasets: series.map(({ of, label, values }) => ({
          label,
          data: values.map((value, nth) => (seconds.length ? { x: seconds[nth], y: Number(value) } : Number(value))),
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
            ...(seconds.length ? scaleOfTime : {}),
            reverse: isRightToLeft,
            stacked: kind.stacked,
            grid: { color: colour("--hairline-color") },
            ticks: {
              color: colour("--body-fg"),
              maxRotation: 0,
              autoSkipPadding: 16,
              ...(seconds.length ? { callback: (value) => inTwoLines(labels.get(value)) } : {}),
            },
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
