// The pool's balance over time, by Chart.js; colours and direction are the page's.
"use strict";
(() => {
  const canvas = document.getElementById("history");
  const points = JSON.parse(document.getElementById("history-points").textContent);
  const language = document.documentElement.lang;
  const style = getComputedStyle(document.documentElement);
  const calendar = language === "fa" ? "fa-u-ca-persian" : language;
  const day = new Intl.DateTimeFormat(calendar, { dateStyle: "medium", timeStyle: "short" });
  const amount = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const text = style.getPropertyValue("--body-fg");
  new Chart(canvas, {
    type: "line",
    data: {
      labels: points.map(([at]) => day.format(new Date(at))),
      datasets: [{
        data: points.map(([, balance]) => Number(balance)),
        borderColor: style.getPropertyValue("--link-fg"),
        stepped: true,
        pointRadius: 0,
        pointHitRadius: 8,
      }],
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      plugins: {
        legend: { display: false },
        tooltip: { callbacks: { label: ({ parsed }) => amount.format(parsed.y) } },
      },
      scales: {
        x: { reverse: document.dir === "rtl", ticks: { color: text, maxTicksLimit: 8 } },
        y: { position: document.dir === "rtl" ? "right" : "left", ticks: { color: text, callback: (value) => amount.format(value) } },
      },
    },
  });
})();
