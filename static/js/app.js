/* DEX Sniper Pro: the one script. Pages are complete without it; it adds what only a browser can do.

   Hooks in the markup:
     data-dialog-open="id", data-dialog-close     open and close a <dialog>
     form[data-once]                              cannot be sent twice
     data-copy="text"   data-dismiss   data-theme-toggle
     time[data-age]     time[data-clock]          epoch ms; ages tick, titles show the viewer's own time zone
     hx-trigger="refresh from:body"               reload a partial when the socket was away, or every 5 s without it
     .chart[data-chart="id of a JSON block"]      see CHARTS below
*/
"use strict";
(() => {
  const POLL_MS = 5000;
  const GRACE_MS = 1500;
  const TOAST_MS = 10000;
  const AHEAD_S = 5;
  const TOASTS_MAX = 5;
  const root = document.documentElement;
  const by = (id) => document.getElementById(id);
  const all = (selector, within = document) => within.querySelectorAll(selector);
  root.classList.replace("no-js", "js");

  /* ---- time ---- */
  const serverTime = Number(document.querySelector('meta[name="server-time"]')?.content);
  const skew = serverTime ? serverTime - Date.now() : 0;
  const now = () => Date.now() + skew;
  const two = (number) => String(number).padStart(2, "0");

  function durationText(seconds) {
    const s = Math.trunc(seconds);
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.trunc(s / 60)} min ${two(s % 60)} s`;
    if (s < 86400) return `${Math.trunc(s / 3600)} h ${two(Math.trunc((s % 3600) / 60))} min`;
    return `${Math.trunc(s / 86400).toLocaleString("en-US")} d ${two(Math.trunc((s % 86400) / 3600))} h`;
  }

  /* Clocks of chains and browsers run a little ahead: within these few seconds the future is the present. */
  function elapsed(ms) {
    const seconds = Math.floor(ms / 1000);
    return seconds < 0 && seconds >= -AHEAD_S ? 0 : seconds;
  }

  function write(node, text) {
    if (node && node.textContent !== text) node.textContent = text;
  }

  function tick() {
    const at = now();
    for (const node of all("time[data-age]")) {
      const seconds = elapsed(at - Number(node.dataset.age));
      const ago = seconds >= 0 && "ago" in node.dataset ? " ago" : "";
      write(node, seconds >= 0 ? durationText(seconds) + ago : `in ${durationText(-seconds)}`);
    }
    for (const node of all("[data-head]")) {
      const age = Math.max(0, at - Number(node.dataset.head));
      const stale = age > Number(node.dataset.stale);
      node.classList.toggle("is-warn", stale);
      node.classList.toggle("is-good", !stale);
      write(node.querySelector(".num"), durationText(age / 1000));
      if (stale && !node.dataset.told) {
        node.dataset.told = "1";
        const name = node.querySelector(".chain")?.textContent;
        node.title = `${name}: newest block is stale`;
        node.querySelector(".dot")?.setAttribute("aria-label", node.title);
      }
    }
  }
  setInterval(tick, 1000);

  document.addEventListener("pointerover", (event) => {
    const node = event.target.closest?.("time[data-age], time[data-clock]");
    if (!node || node.dataset.zoned) return;
    node.dataset.zoned = "1";
    const at = new Date(Number(node.dataset.age || node.dataset.clock));
    node.title = `${node.title}\n${at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" })}`;
  });

  /* ---- live or not ---- */
  let state = "";
  let polling = 0;
  let grace = 0;
  const WORDS = {
    live: ["is-good", "Live", "Changes arrive as they happen"],
    connecting: ["is-idle", "Connecting", "The live connection is being made"],
    reconnecting: ["is-warn", "Reconnecting", "The live connection broke; it is made again"],
    polling: ["is-warn", `Polling, ${POLL_MS / 1000} s`, `No live connection: the page asks every ${POLL_MS / 1000} s`],
    offline: ["is-bad", "No connection", "The server does not answer; figures may be old"],
  };

  function show(next) {
    const node = by("live");
    if (!node || state === next) return;
    state = next;
    root.dataset.live = next;
    const [tone, word, title] = WORDS[next];
    node.className = `live ${tone}`;
    node.title = title;
    write(node.querySelector(".live-word"), word);
  }

  const refresh = () => document.body && htmx.trigger(document.body, "refresh");

  function startPolling(first) {
    clearTimeout(grace);
    grace = setTimeout(() => {
      show("polling");
      refresh();
      clearInterval(polling);
      polling = setInterval(() => document.hidden || refresh(), POLL_MS);
    }, first);
  }

  function stopPolling() {
    clearTimeout(grace);
    clearInterval(polling);
  }

  const on = (name, action) => document.addEventListener(name, action);
  on("htmx:wsConnecting", () => state === "" && show("connecting"));
  on("htmx:wsOpen", () => {
    const wasAway = state !== "connecting" && state !== "";
    stopPolling();
    show("live");
    if (wasAway) refresh();
  });
  on("htmx:wsClose", () => {
    if (state === "polling" || state === "offline") return;
    show("reconnecting");
    startPolling(GRACE_MS);
  });
  on("visibilitychange", () => document.hidden || state === "live" || refresh());
  on("htmx:sendError", () => state === "live" || show("offline"));
  on("htmx:afterRequest", (event) => event.detail.successful && state === "offline" && show("polling"));

  if (window.htmx) {
    htmx.config.wsReconnectDelay = (tries) => Math.min(3000, 400 * 2 ** tries) * (0.75 + Math.random() / 2);
  }

  /* ---- notices ---- */
  const ICON = {
    "is-bad": '<path d="M4 4l8 8M12 4l-8 8"/>',
    "is-warn": '<path d="M8 2.2L14.3 13.4H1.7zM8 6.4v3.4M8 11.6v.2"/>',
    "is-info": '<path d="M8 7.2v4.3M8 4.6v.2"/><circle cx="8" cy="8" r="6.2"/>',
  };

  function toast(tone, title, text, remedy) {
    const list = by("toasts");
    if (!list || [...list.children].some((item) => item.dataset.text === title + text)) return;
    const item = document.createElement("div");
    item.className = `toast ${tone}`;
    item.setAttribute("role", tone === "is-bad" ? "alert" : "status");
    item.dataset.text = title + text;
    item.innerHTML =
      `<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${ICON[tone]}</svg><div><b></b> <span></span><p class="problem-remedy"></p></div>` +
      `<button type="button" class="copy" data-dismiss aria-label="Dismiss"><svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${ICON["is-bad"]}</svg></button>`;
    item.querySelector("b").textContent = title;
    item.querySelector("span").textContent = text;
    item.querySelector("p").textContent = remedy;
    list.append(item);
    tidyToasts();
  }

  function tidyToasts() {
    const list = by("toasts");
    if (!list) return;
    while (list.children.length > TOASTS_MAX) list.firstElementChild.remove();
    for (const item of all(".toast.is-good, .toast.is-info", list)) {
      if (item.dataset.timed) continue;
      item.dataset.timed = "1";
      const leave = () => (item.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : item.remove());
      setTimeout(leave, TOAST_MS);
    }
  }

  /* A session that ended answers a partial with the sign-in page: show it as a page, not inside a panel. */
  on("htmx:beforeSwap", (event) => {
    const login = document.body.dataset.login;
    if (!login || new URL(event.detail.xhr.responseURL || location.href).pathname !== login) return;
    event.detail.shouldSwap = false;
    location.reload();
  });

  on("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 401 || status === 403) {
      toast("is-warn", "Not allowed.", "The server refused this.", "Load the page again; sign in if you are asked to.");
    } else if (status === 404) {
      toast("is-warn", "Gone.", "What this would show no longer exists.", "Load the page again.");
    } else if (status === 429) {
      toast("is-warn", "Too fast.", "The server asks to slow down.", "Wait a few seconds.");
    } else {
      toast("is-bad", `System problem (${status}).`, "The server failed on this request; the page keeps what it had.", "See Incidents; run manage.py doctor if it stays.");
    }
  });
  on("htmx:sendError", (event) => {
    if (event.detail.requestConfig?.triggeringEvent?.type === "refresh") return;
    toast("is-bad", "Network problem.", "The server did not answer; nothing was changed as far as this page knows.", "Check the positions and orders pages before you try again.");
  });
  on("htmx:timeout", () => toast("is-warn", "Network problem.", "The server took too long.", "It is asked again; nothing to do."));

  /* ---- clicks ---- */
  function announce(text) {
    write(by("announcer"), text);
  }

  async function copy(button) {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "visually-hidden";
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.classList.add("is-done");
    announce("Copied");
    setTimeout(() => button.classList.remove("is-done"), 1500);
  }

  function openDialog(id) {
    const dialog = by(id);
    if (!(dialog instanceof HTMLDialogElement)) return false;
    for (const other of all("dialog[open]")) if (other !== dialog) other.close();
    if (!dialog.open) dialog.showModal();
    return true;
  }

  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest?.(selector);
    const opener = hit("[data-dialog-open]");
    if (opener && openDialog(opener.dataset.dialogOpen)) return event.preventDefault();
    const closer = hit("[data-dialog-close]");
    if (closer?.closest("dialog[open]")) {
      event.preventDefault();
      return closer.closest("dialog").close();
    }
    if (event.target instanceof HTMLDialogElement) return event.target.close();
    if (hit("[data-copy]")) return copy(hit("[data-copy]"));
    if (hit("[data-dismiss]")) return hit(".toast, .alert, .problem")?.remove();
    if (hit("[data-theme-toggle]")) {
      root.dataset.theme = root.dataset.theme === "light" ? "dark" : "light";
      document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
      for (const chart of charts.values()) chart.paint();
    }
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-once]");
    if (!form) return;
    if (form.getAttribute("aria-busy") === "true") return event.preventDefault();
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => {
    for (const form of all("form[data-once]")) form.removeAttribute("aria-busy");
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  });

  let engineState = "";
  function mark() {
    const line = by("status-line");
    const icon = document.querySelector('link[rel="icon"][data-alert]');
    if (!line || !icon) return;
    icon.dataset.calm ||= icon.href;
    const alarmed = line.dataset.state === "emergency_stopped" || "degraded" in line.dataset;
    const wanted = alarmed ? icon.dataset.alert : icon.dataset.calm;
    if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
    if (engineState && engineState !== line.dataset.state) announce(line.querySelector(".engine")?.textContent.replace(/\s+/g, " "));
    engineState = line.dataset.state;
  }

  /* What scrolls sideways must be reachable by keyboard. */
  function openScrollers() {
    for (const node of all(".table-wrap:not([tabindex])")) {
      if (node.scrollWidth <= node.clientWidth && node.scrollHeight <= node.clientHeight) continue;
      node.tabIndex = 0;
      node.setAttribute("role", "region");
      node.setAttribute("aria-label", node.closest(".panel")?.querySelector("h2")?.textContent || "Table");
    }
  }

  /* ---- CHARTS ----
     <div class="chart" data-chart="equity-data" role="img" aria-label="...">a sparkline for when there is no script</div>
     <div id="equity-data" hidden><script type="application/json">{"series": [...]}</script></div>
     Replace #equity-data (hx-swap-oob) and the chart follows, keeping the viewer's zoom.
     {"unit": "usd" | "<token>", "series": [{
        "kind": "candles" | "line" | "area" | "baseline" | "histogram", "label": "Equity", "base": "0",
        "data": [{"time": epoch s, "value": "12.5"} | {"time", "open", "high", "low", "close"}],
        "markers": [{"time": epoch s, "kind": "buy" | "sell" | "event", "text": "..."}],
        "levels": [{"value": "1.2", "kind": "entry" | "target" | "stop", "label": "..."}]}]}
     Numbers may be strings: the server keeps them exact, and only here they become floats, to be drawn. */
  const charts = new Map();

  function significant(value, digits = 5) {
    if (!Number.isFinite(value)) return "unknown";
    if (value === 0) return "0";
    const [mantissa, exponent] = Math.abs(value).toExponential(digits - 1).split("e").map(Number);
    const sign = value < 0 ? "−" : "";
    if (exponent >= 6 && exponent < 15) {
      const step = Math.trunc(exponent / 3);
      return sign + Number((mantissa * 10 ** (exponent - step * 3)).toPrecision(digits)) + ["", "K", "M", "B", "T"][step];
    }
    if (exponent >= -4 && exponent < 6) return sign + Number(Math.abs(value).toPrecision(digits)).toLocaleString("en-US", { maximumFractionDigits: 20 });
    if (exponent >= 15) return sign + mantissa + "×10^" + exponent;
    const zeros = String(-exponent - 1).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
    return `${sign}0.0${zeros}${String(mantissa).replace(".", "")}`;
  }

  function dollars(value) {
    const size = Math.abs(value);
    const body = size >= 1 && size < 1e6 ? size.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 }) : significant(size);
    return (value < 0 ? "−$" : "$") + body;
  }

  function colour(name) {
    return getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  }

  function faded(hex, alpha) {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return `rgba(${r}, ${g}, ${b}, ${alpha})`;
  }

  const KINDS = { candles: "CandlestickSeries", line: "LineSeries", area: "AreaSeries", baseline: "BaselineSeries", histogram: "HistogramSeries" };
  const FIELDS = ["value", "open", "high", "low", "close"];

  function seriesLook(item) {
    const [good, bad, accent] = [colour("good"), colour("bad"), colour("accent")];
    const common = { priceLineVisible: false, lastValueVisible: true, title: "" };
    if (item.kind === "candles") {
      return { ...common, upColor: good, downColor: faded(bad, 0.25), borderUpColor: good, borderDownColor: bad, wickUpColor: good, wickDownColor: bad };
    }
    if (item.kind === "baseline") {
      return { ...common, lineWidth: 2, baseValue: { type: "price", price: Number(item.base ?? 0) }, topLineColor: good, topFillColor1: faded(good, 0.22), topFillColor2: faded(good, 0.02), bottomLineColor: bad, bottomFillColor1: faded(bad, 0.02), bottomFillColor2: faded(bad, 0.22) };
    }
    if (item.kind === "histogram") return { ...common, color: faded(accent, 0.45), priceScaleId: "", lastValueVisible: false };
    return { ...common, lineWidth: 2, color: accent, lineColor: accent, topColor: faded(accent, 0.25), bottomColor: faded(accent, 0.02) };
  }

  function points(item) {
    return (item.data || []).map((point) => {
      const copy = { time: point.time };
      for (const field of FIELDS) if (point[field] !== undefined && point[field] !== null) copy[field] = Number(point[field]);
      return copy;
    });
  }

  function markerOf(item) {
    const buy = item.kind === "buy";
    const sell = item.kind === "sell";
    return {
      time: item.time,
      position: buy ? "belowBar" : "aboveBar",
      shape: buy ? "arrowUp" : sell ? "arrowDown" : "circle",
      color: colour(buy ? "good" : sell ? "bad" : "warn"),
      text: item.text || "",
    };
  }

  class LiveChart {
    constructor(host) {
      this.host = host;
      this.sourceId = host.dataset.chart;
      this.series = [];
      this.text = "";
      host.replaceChildren();
      this.chart = LightweightCharts.createChart(host, { autoSize: true, layout: { attributionLogo: false }, rightPriceScale: { borderVisible: false }, timeScale: { borderVisible: false, timeVisible: true, secondsVisible: true, maxBarSpacing: 28 }, handleScroll: { vertTouchDrag: false } });
      this.paint();
      this.read();
    }

    paint() {
      const line = colour("line");
      this.chart.applyOptions({ layout: { background: { color: "transparent" }, textColor: colour("muted"), fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11 }, grid: { vertLines: { visible: false }, horzLines: { color: line } }, crosshair: { vertLine: { color: colour("control"), labelBackgroundColor: colour("line-strong") }, horzLine: { color: colour("control"), labelBackgroundColor: colour("line-strong") } } });
      for (const entry of this.series) entry.api.applyOptions(seriesLook(entry.item));
    }

    read() {
      const text = by(this.sourceId)?.textContent.trim();
      if (!text || text === this.text) return;
      this.text = text;
      const data = JSON.parse(text);
      this.format = data.unit === "usd" ? dollars : (value) => significant(value);
      this.chart.applyOptions({ localization: { priceFormatter: this.format } });
      const first = this.series.length === 0;
      data.series.forEach((item, index) => this.draw(item, index));
      if (first) this.chart.timeScale().fitContent();
    }

    draw(item, index) {
      let entry = this.series[index];
      if (!entry) {
        const api = this.chart.addSeries(LightweightCharts[KINDS[item.kind]], { ...seriesLook(item), priceFormat: { type: "custom", formatter: this.format, minMove: 1e-12 } });
        entry = { api, item, markers: LightweightCharts.createSeriesMarkers(api, []), levels: [] };
        if (item.kind === "histogram") api.priceScale().applyOptions({ scaleMargins: { top: 0.8, bottom: 0 } });
        this.series[index] = entry;
      }
      entry.item = item;
      entry.api.setData(points(item));
      entry.markers.setMarkers((item.markers || []).map(markerOf));
      for (const level of entry.levels) entry.api.removePriceLine(level);
      entry.levels = (item.levels || []).map((level) =>
        entry.api.createPriceLine({ price: Number(level.value), title: level.label || level.kind, color: colour({ entry: "info", target: "good", stop: "bad" }[level.kind] || "muted"), lineWidth: 1, lineStyle: level.kind === "entry" ? 0 : 2, axisLabelVisible: true }),
      );
    }
  }

  function syncCharts() {
    if (!window.LightweightCharts) return;
    for (const [host, chart] of charts) {
      if (!host.isConnected) {
        chart.chart.remove();
        charts.delete(host);
      } else chart.read();
    }
    for (const host of all(".chart[data-chart]")) if (!charts.has(host) && by(host.dataset.chart)) charts.set(host, new LiveChart(host));
  }

  /* ---- start, and after every swap ---- */
  function settle() {
    tick();
    tidyToasts();
    mark();
    openScrollers();
    syncCharts();
  }
  on("htmx:afterSettle", settle);
  /* A message is markup whose elements say themselves what they replace; table rows come wrapped in <template>,
     because they cannot stand beside other elements. The socket extension knows no templates, htmx itself does. */
  on("htmx:wsBeforeMessage", (event) => {
    event.preventDefault();
    htmx.swap(document.body, event.detail.message, { swapStyle: "none", swapDelay: 0, settleDelay: 0 });
    settle();
  });
  on("DOMContentLoaded", () => {
    settle();
    if (location.hash && openDialog(location.hash.slice(1))) history.replaceState(null, "", location.pathname + location.search);
    if (by("live") && !document.querySelector("[ws-connect]")) startPolling(POLL_MS);
  });
})();
