// The desk's own script: live updates, waiting times, alerts, keyboard, and the idle warning.
// It never builds HTML: the server renders, htmx swaps.
(() => {
  "use strict";
  const body = document.body;
  const $ = (selector) => document.querySelector(selector);
  const remembered = (key, otherwise) => { try { return localStorage.getItem(key) ?? otherwise; } catch { return otherwise; } };
  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window */ } };

  // ---- dialogs and small things
  const open = (box) => {
    const part = $(box);
    if (!part) return;
    part.open = true;
    part.scrollIntoView({ block: "nearest" });
    part.querySelector("textarea, select")?.focus();
  };
  document.addEventListener("click", (event) => {
    const target = event.target.closest("button");
    if (!target) return;
    if (target.dataset.open) $("#" + target.dataset.open)?.showModal();
    if ("close" in target.dataset) target.closest("dialog")?.close();
    if (target.dataset.box) open("#" + target.dataset.box);
    if ("dismiss" in target.dataset) $("#alert").replaceChildren();
  });
  document.addEventListener("change", (event) => {
    if ("canned" in event.target.dataset && event.target.value) {
      const box = $("#reply-text");
      box.value = (box.value ? box.value.trimEnd() + " " : "") + event.target.value;
      event.target.value = "";
      box.focus();
    }
  });
  const chat = $("#chat");
  const toTheEnd = () => { if (chat) chat.scrollTop = chat.scrollHeight; };
  toTheEnd();
  let wasAtEnd = true;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target === chat) wasAtEnd = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 80;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target === chat && wasAtEnd) toTheEnd();
    waitings();
    guard();
  });
  document.addEventListener("reply-sent", () => {
    const form = $("#reply");
    if (!form) return;
    form.reset();
    form.elements.client_key.value = crypto.getRandomValues(new Uint8Array(16)).reduce((key, byte) => key + byte.toString(16).padStart(2, "0"), "");
    $("#alert").replaceChildren();
    toTheEnd();
    $("#reply-text").focus();
  });
  // Two clinicians cannot answer over each other: the server refuses, and the box says so before one has to find out.
  const guard = () => {
    const head = document.querySelector("#head [data-holder]");
    const form = $("#reply");
    if (!head || !form) return;
    const mine = head.dataset.holder === body.dataset.staff && head.dataset.state !== "resolved";
    for (const field of form.querySelectorAll("button, select")) field.disabled = !mine;
    $("#reply-text").readOnly = !mine;
  };

  // ---- waiting times go on without the server
  const short = (seconds) => {
    const minutes = Math.floor(seconds / 60);
    if (minutes < 1) return "now";
    if (minutes < 60) return minutes + " min";
    if (minutes < 48 * 60) return Math.floor(minutes / 60) + " h " + String(minutes % 60).padStart(2, "0");
    return Math.floor(minutes / 1440) + " days";
  };
  const waitings = () => {
    for (const time of document.querySelectorAll("time[data-since]")) {
      time.textContent = short((Date.now() - Date.parse(time.dateTime)) / 1000);
    }
  };
  setInterval(waitings, 10000);

  // ---- alerts: sound and title, only for who asked for them on this device
  const bell = $("#alerts");
  let audio = null;
  let flashing = null;
  const title = document.title;
  const alertsOn = () => remembered("careline.alerts", "off") === "on";
  const showBell = () => {
    if (!bell) return;
    bell.setAttribute("aria-pressed", String(alertsOn()));
    bell.querySelector("span").textContent = alertsOn() ? "Alerts on" : "Alerts off";
  };
  const tone = () => {
    try {
      audio ??= new AudioContext();
      audio.resume();
      [0, 0.22, 0.44].forEach((offset, index) => {
        const sound = audio.createOscillator();
        const volume = audio.createGain();
        sound.frequency.value = index === 2 ? 1040 : 780;
        volume.gain.setValueAtTime(0.0001, audio.currentTime + offset);
        volume.gain.exponentialRampToValueAtTime(0.3, audio.currentTime + offset + 0.02);
        volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + offset + 0.18);
        sound.connect(volume).connect(audio.destination);
        sound.start(audio.currentTime + offset);
        sound.stop(audio.currentTime + offset + 0.2);
      });
    } catch { /* no sound here: the title still tells */ }
  };
  const calm = () => { clearInterval(flashing); flashing = null; document.title = title; };
  const alarm = () => {
    $("#said").textContent = "An emergency is waiting.";
    if (!alertsOn()) return;
    tone();
    if (flashing) return;
    let on = false;
    flashing = setInterval(() => { on = !on; document.title = on ? "(!) Emergency waiting" : title; }, 1000);
    document.title = "(!) Emergency waiting";
  };
  bell?.addEventListener("click", () => {
    remember("careline.alerts", alertsOn() ? "off" : "on");
    showBell();
    if (alertsOn()) tone(); else calm();
  });
  addEventListener("focus", calm);
  showBell();

  // ---- live updates
  let late = null;
  const refresh = (...ids) => ids.forEach((id) => { const part = $(id); if (part && window.htmx) htmx.trigger(part, "live"); });
  if ("live" in body.dataset) {
    const stream = new EventSource("/live");
    stream.addEventListener("open", () => { clearTimeout(late); late = null; $("#offline").hidden = true; });
    stream.addEventListener("error", () => { late ??= setTimeout(() => { $("#offline").hidden = false; }, 4000); });
    let first = true;
    stream.addEventListener("queue", () => { if (!first || !$("#queue")) refresh("#queue"); first = false; });
    stream.addEventListener("case", (event) => {
      if (JSON.parse(event.data) === body.dataset.case) refresh("#head", "#chat", "#summary", "#history");
    });
    stream.addEventListener("emergency", alarm);
    stream.addEventListener("over", () => { location.href = "/login?why=over"; });
    setInterval(() => refresh("#queue"), 60000);
  }

  // ---- the idle clock: a warning before the server ends the session, and a way to stay
  if ("signedIn" in body.dataset) {
    const limit = Number(body.dataset.idleSeconds) * 1000;
    const dialog = $("#idle");
    let last = Date.now();
    let told = Date.now();
    const here = () => {
      last = Date.now();
      if (dialog.open) return;
      if (last - told > 60000) { told = last; htmx.trigger($("#still-here"), "still-here"); }
    };
    for (const kind of ["pointerdown", "keydown", "wheel"]) addEventListener(kind, here, { passive: true });
    dialog.addEventListener("close", () => { last = told = Date.now(); htmx.trigger($("#still-here"), "still-here"); });
    setInterval(() => {
      const left = limit - (Date.now() - told);
      if (left <= 0) location.href = "/login?why=over";
      else if (left < 120000 && !dialog.open) dialog.showModal();
      if (dialog.open) $("#idle-left").textContent = left > 60000 ? "two minutes" : Math.max(1, Math.ceil(left / 1000)) + " seconds";
    }, 1000);
  }

  // ---- keyboard
  const keys = $("#keys-on");
  if (keys) {
    keys.checked = remembered("careline.keys", "on") === "on";
    keys.addEventListener("change", () => remember("careline.keys", keys.checked ? "on" : "off"));
  }
  const step = (by) => {
    const links = [...document.querySelectorAll(".queue h2 a")];
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    links[Math.min(links.length - 1, Math.max(0, at < 0 ? 0 : at + by))].focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    const writing = event.target.closest("input, textarea, select, dialog");
    if (writing || event.ctrlKey || event.metaKey || event.altKey || !keys?.checked) return;
    const act = {
      "?": () => $("#help")?.showModal(),
      q: () => { location.href = "/queue"; },
      j: () => step(1),
      k: () => step(-1),
      t: () => { const form = $("#take-over"); if (form && !form.querySelector("button").disabled) form.requestSubmit(); },
      r: () => $("#reply-text")?.focus(),
      n: () => open("#note-box"),
      e: () => open("#resolve-box"),
    }[event.key];
    if (act) { event.preventDefault(); act(); }
  });
})();
