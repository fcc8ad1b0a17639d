/*
 * <careline-chat server="https://..."> - the patient's side of Careline, in one custom element.
 *
 * No dependency, no HTML strings: every node is made by `h()`, every word arrives through a text node.
 * Messages go out by POST with an id made here; they come in as server-sent events, read with fetch so that
 * the token travels in a header. See README.md for attributes, events and the content security policy.
 */
(() => {
  "use strict";

  const TEXTS = __CARELINE_TEXTS__;
  const SCRIPT = document.currentScript;
  const NUMBER = TEXTS.emergency_number;
  const PHONE = TEXTS.clinic.phone;
  const RTL = /^(ar|ckb|dv|fa|he|ku|ps|sd|ug|ur|yi)\b/i;

  const DARK = `--bg:#14242b;--log:#0e1b20;--text:#e9f1f3;--muted:#aebfc6;--line:#2d434c;--edge:#7d959e;
--accent:var(--careline-accent-dark,#86d3e2);--on:var(--careline-on-accent-dark,#06262e);--head:#1c4652;--on-head:#fff;--tint:#1b343d;
--danger:#ff9a90;--on-danger:#3a0906;--pale:#38171a;--warn:#33290f;--focus:#ffd36b;color-scheme:dark`;

  const CSS = `:host{all:initial;
--bg:var(--careline-surface,#fff);--log:var(--careline-background,#f2f6f7);--text:var(--careline-text,#17272d);--muted:#4b5e66;--line:#d3dde1;--edge:#6b828b;
--accent:var(--careline-accent,#0b5668);--on:var(--careline-on-accent,#fff);--head:var(--accent);--on-head:var(--on);--tint:#e3f0f3;
--danger:#a61b17;--on-danger:#fff;--pale:#fdf0ee;--warn:#fff7e0;--focus:#b35900;--round:var(--careline-radius,14px)}
@media (prefers-color-scheme:dark){:host(:not([theme=light])){${DARK}}}
:host([theme=dark]){${DARK}}
*{box-sizing:border-box;margin:0;font:inherit;color:inherit}
[hidden],dialog:not([open]){display:none!important}
.root{font:400 max(1rem,16px)/1.45 var(--careline-font,system-ui,sans-serif);color:var(--text)}
.big{font-size:max(1.25rem,20px)}
h2,h3,b,a,button{font-weight:600}
button,.btn{display:inline-flex;align-items:center;gap:.5em;min-height:44px;padding:.4em .9em;border:1px solid var(--edge);border-radius:10px;background:var(--bg);color:var(--text);line-height:1.25;text-align:start;text-decoration:none;overflow-wrap:anywhere;cursor:pointer}
button:hover,.btn:hover{filter:brightness(.93)}
svg{width:1.25em;height:1.25em;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round;flex:none}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
.sr,.assistant+.assistant .meta,.patient+.patient .meta{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap;border:0}
.solid{background:var(--accent);color:var(--on);border-color:transparent}
.danger{background:var(--danger);color:var(--on-danger)}
.launcher,dialog{position:fixed;z-index:var(--careline-z,2147483000);inset:auto;inset-inline-end:var(--careline-inset,20px);bottom:var(--careline-bottom,20px);box-shadow:0 8px 32px #0f2a3340}
.launcher{min-height:56px;max-width:90vw;padding:.7em 1.25em;border-radius:30px}
.badge{padding:0 .6em;border-radius:1em;background:#fff;color:#7a1310}
dialog{flex-direction:column;display:flex;width:min(25.5em,90vw);height:min(43em,100dvh - var(--careline-bottom,20px) - 90px);max-width:none;max-height:none;padding:0;margin-bottom:70px;overflow:hidden;background:var(--bg);color:var(--text);border:1px solid var(--line);border-radius:var(--round)}
dialog:modal{inset:0;width:auto;height:100dvh;margin:0;border:0;border-radius:0}
.head{display:flex;align-items:center;gap:.6em;padding:.7em .6em .7em .9em;background:var(--head);color:var(--on-head)}
.head :focus-visible{outline-color:#fff}
.head button{background:#fff0;color:inherit;border-color:transparent;padding:.6em}
.head button:hover{background:#fff3}
.mark svg{width:2.2em;height:2.2em;stroke-width:1.6}
.names{flex:1;overflow-wrap:anywhere}
h2{font-size:1.06em;line-height:1.3}
.names p,.meta,.note,.sos,.line,.system{font-size:.86em}
.menu,.help,.row,.choices{display:flex;flex-wrap:wrap;gap:.5em}
.menu,.help,.confirm{padding:.6em .7em;border-bottom:1px solid var(--line)}
.menu{background:var(--tint)}
.menu button{flex:1 1 40%}
.help button{flex:1 0 auto;padding:.4em .7em;font-size:.94em}
.help svg{color:var(--accent)}
[aria-pressed=true]{border:3px solid var(--accent)}
.row{margin-top:.7em}
.log{flex:1;min-height:0;overflow-y:auto;overscroll-behavior:contain;padding:1em .9em .5em;background:var(--log)}
.log:focus-visible{outline-offset:-3px}
.card,.bubble,.typing{padding:.65em .9em;margin-bottom:.5em;border:1px solid var(--line);border-radius:var(--round);background:var(--bg)}
.card p{margin-top:.3em}
.off{border:2px solid var(--edge)}
.confirm,.off,.line{background:var(--warn)}
.msg{display:flex;flex-direction:column;align-items:flex-start;position:relative}
.meta{display:flex;gap:.5em;padding:.4em .2em .2em;color:var(--muted)}
.bubble{max-width:88%;overflow-wrap:anywhere;unicode-bidi:isolate;border-start-start-radius:4px}
.bubble>*+*{margin-top:.6em}
ul,ol{padding-inline-start:1.25em}
.patient{align-items:flex-end}
.patient .bubble{background:var(--head);color:var(--on-head);border-color:transparent;border-radius:var(--round);border-start-end-radius:4px}
.clinician .bubble{border-color:var(--accent);border-inline-start-width:5px;background:var(--tint)}
.clinician b{color:var(--accent)}
.system .bubble{max-width:100%;border-width:0;border-inline-start:3px solid var(--edge);border-radius:0;background:#fff0;color:var(--muted)}
.alert{align-items:stretch}
.alert .bubble{max-width:none;padding:1em;border:2px solid var(--danger);border-inline-start-width:8px;background:var(--pale)}
.alert h3{display:flex;gap:.4em;align-items:center;color:var(--danger);font-size:1.1em}
.alert .solid{width:100%;justify-content:center;min-height:52px;font-size:1.1em}
.note{padding:0 .2em .4em;color:var(--muted)}
.bad{color:var(--danger)}
.choices{margin:.1em 0 .5em}
.choice{border-color:var(--accent);border-radius:22px;color:var(--accent)}
[aria-disabled=true]{cursor:default;filter:none!important;border:1px dashed var(--edge);background:#fff0;color:var(--muted);font-weight:400}
.chosen{border:1px solid var(--accent);background:var(--tint);color:var(--text);font-weight:600}
.typing{width:fit-content;color:var(--muted);letter-spacing:.2em}
.foot{position:relative;border-top:1px solid var(--line)}
.latest{position:absolute;inset-inline:0;bottom:calc(100% + 8px);margin:auto;width:fit-content;background:var(--text);color:var(--bg);border-radius:22px}
.line{padding:.4em 1em}
.compose{display:flex;align-items:flex-end;gap:.5em;padding:.65em .7em .3em}
textarea{flex:1;min-width:0;min-height:46px;max-height:8em;padding:.6em .8em;border:1px solid var(--edge);border-radius:10px;background:var(--bg);resize:none;field-sizing:content}
::placeholder{color:var(--muted);opacity:1}
.sos{padding-bottom:.5em;color:var(--muted);text-align:center}
.sos a{display:inline-block;padding:.25em;color:var(--text)}
[dir=rtl] .flip{transform:scaleX(-1)}
@media (max-height:420px){dialog{display:block;overflow:auto}.log{overflow:visible}.latest{position:sticky;display:block}}
@media (prefers-reduced-motion:no-preference){dialog{animation:a .18s}.typing{animation:a .7s infinite alternate}@keyframes a{from{opacity:.3}}}`;
  const PRINT = "body{font:12pt/1.5 serif;margin:1.5cm}p{white-space:pre-wrap}";

  const ICONS = {
    nurse: "M4 5h16v11H11l-4 4v-4H4zM12 7.5v6M9 10.5h6",
    close: "M6 6l12 12M18 6L6 18",
    menu: "M4 7h16M4 12h16M4 17h16",
    person: "M12 12a4 4 0 100-8 4 4 0 000 8zM4 20c1-4 4-5 8-5s7 1 8 5",
    exit: "M14 4h5v16h-5M4 12h11M11 8l4 4-4 4",
    send: "M4 12l16-8-5 16-4-7zM11 13l9-9",
    alert: "M12 3l10 18H2zM12 10v5M12 18h.01",
    call: "M5 4h4l2 5-3 2a11 11 0 005 5l2-3 5 2v4C10 20 4 12 5 4z",
  };

  /** A sentence of the catalogue with its {names} filled; clinic, number and phone are always known. */
  const t = (key, values) => TEXTS[key]
    .replace(/\{(\w+)\}/g, (_, name) => ({clinic: TEXTS.clinic.name, number: NUMBER, phone: PHONE, ...values})[name]);

  /** An element: "tag.class.class", attributes (functions become listeners), children (strings become text nodes). */
  const h = (what, attributes, ...children) => {
    const [tag, ...classes] = what.split(".");
    const node = document.createElement(tag);
    node.className = classes.join(" ");
    for (const name in attributes) {
      const value = attributes[name];
      if (value?.call) node.addEventListener(name, value);
      else if (value != null) node.setAttribute(name, value);
    }
    node.append(...children.flat().filter(Boolean));
    return node;
  };

  const icon = (name) => {
    const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    if (/send|exit/.test(name)) svg.setAttribute("class", "flip");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  };

  const button = (classes, sign, label, click, more) =>
    h("button" + classes, {type: "button", click, ...more}, ICONS[sign] && icon(sign), label);

  const tel = (number) => "tel:" + number.replace(/[^+\d]/g, "");
  const call = (classes, number, label) => h("a.btn" + classes, {href: tel(number)}, icon("call"), label);

  /** Without the characters that only disguise text: direction overrides, zero-width and control characters. */
  const clean = (text) => String(text ?? "").replace(/\r\n?/g, "\n")
    .replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060-\u2069\ufeff]/g, "");

  // 128 random bits. Not crypto.randomUUID: pages without https do not have it.
  const uuid = () => crypto.getRandomValues(new BigUint64Array(2)).join("-");

  const now = () => new Date().toISOString();
  const clock = (at) => new Date(at).toLocaleTimeString([], {timeStyle: "short"});
  const date = (at) => new Date(at).toLocaleString();
  const backoff = (tries) => Math.min(30000, 500 * 2 ** tries) * (0.5 + Math.random() / 2);

  /** Links may go to the phone numbers of the settings and to the allowed origins, and nowhere else. */
  const NUMBERS = [NUMBER, PHONE, ...(TEXTS.crisis_line || "").match(/\+?\d[\d ]+\d/g) || []].filter(Boolean);
  const LINKS = new RegExp(`https?://[^\\s<>"']+[^\\s<>"'.,;:!?)]|(?<![\\d+])(?:${NUMBERS.join("|").replace(/[+()]/g, "\\$&")})(?!\\d)`, "g");
  const linked = (text, origins) => {
    let from = 0;
    const nodes = [];
    for (const {0: found, index} of text.matchAll(LINKS)) {
      const web = found[0] === "h";
      if (web && !origins.some((origin) => found.startsWith(origin + "/"))) continue;
      nodes.push(text.slice(from, index), h("a", web ? {href: found, target: "_blank", rel: "noopener"} : {href: tel(found)}, found));
      from = index + found.length;
    }
    return [...nodes, text.slice(from)];
  };

  /** Paragraphs, line breaks, "- " and "1. " lists; nothing else means anything. */
  const formatted = (text, words) => {
    const blocks = [];
    let open; // the list or paragraph that the next line may continue
    for (const line of clean(text).trim().split("\n")) {
      const [, dot, rest] = /^\s*([-*\u2022]|\d{1,2}[.)])\s+(.*)/.exec(line) || [];
      const kind = dot ? (dot > "/" ? "ol" : "ul") : "p";
      if (!line.trim()) { open = null; continue; }
      const fresh = open?.localName !== kind;
      if (fresh) blocks.push(open = h(kind, {dir: "auto"}));
      if (dot) open.append(h("li", {dir: "auto"}, words(rest)));
      else open.append(...(fresh ? [] : [h("br")]), ...words(line));
    }
    return blocks;
  };

  /** Web storage, or a plain object where the browser forbids it. */
  const memory = {};
  const storage = (local) => {
    try { return window[local ? "localStorage" : "sessionStorage"] || memory; } catch { return memory; }
  };

  class CarelineChat extends HTMLElement {
    static observedAttributes = ["open", "lang", "dir"];

    #n = {}; // the nodes that change
    #small = matchMedia("(max-width:480px),(max-height:420px)");
    #listeners; // ends those on window and document

    #base; #key; #local; // server, storage
    #token; #round = 0; // the session; another round whenever it changes
    #running; #halted; #stop; #wake; // the connection's loop
    #heard = 0; #lost; // when did we last hear; timer of the notice
    #last = 0; #checked = 0; #have = new Set(); #gap; // sequence numbers: of the stream, without a gap, known
    #items = []; #max = 0; #tiny = 0; // messages in order
    #outbox = []; #flushing; #retry;
    #seen = 0; #old = 0; #unread = []; #urgent; // #old: what was seen before this page was loaded
    #mode = "bot"; #clinician; #typingSaid; #typingTimer; #expiry;
    #introduced; #queue = []; #batch; #atEnd = true;

    // ------------------------------------------------------------------ life

    connectedCallback() {
      this.#base = (this.getAttribute("server") || new URL(SCRIPT.src).origin).replace(/\/+$/, "") + "/v1/";
      this.#local = this.getAttribute("storage") === "local";
      this.#key = "careline:" + this.#base;
      const n = this.#n;
      if (!n.root) this.#build();
      this.#direction();
      this.#listeners = new AbortController();
      const on = (target, names, act) =>
        names.split(" ").forEach((name) => target.addEventListener(name, act, {signal: this.#listeners.signal}));
      on(window, "online pageshow", () => this.#hurry());
      on(document, "visibilitychange", () => document.hidden || this.#hurry());
      on(window, "offline", () => { this.#stop?.abort(); this.#net(false); });
      on(window, "storage", (event) => this.#otherTab(event));
      on(this.#small, "change", () => this.#fit());
      this.#larger(this.#keep("big"));
      for (const kept of this.#keep("out") || []) this.#queueUp(kept);
      this.#show(false);
      if (this.#outbox.length || this.#keep("session")) this.#run();
    }

    disconnectedCallback() {
      this.#listeners.abort();
      this.#halt();
    }

    attributeChangedCallback(name) {
      if (!this.#n.root) return;
      if (name === "open") this.#show(true);
      else this.#direction();
    }

    /** Open the panel and put the focus into it. */
    open() { this.toggleAttribute("open", true); }

    /** Close the panel and put the focus back on the launcher. */
    close() { this.toggleAttribute("open", false); }

    #tell(name, detail) { this.dispatchEvent(new CustomEvent("careline-" + name, {detail})); }

    /** Reads, writes (null removes) what this browser keeps. Unsent messages belong to their tab. */
    #keep(name, value) {
      const kept = storage(this.#local && name !== "out"), key = this.#key + name;
      if (value === undefined) return JSON.parse(kept[key] || null);
      if (value === null) delete kept[key];
      else kept[key] = JSON.stringify(value);
    }

    #direction() {
      const {root} = this.#n;
      root.lang = this.closest("[lang]")?.lang || "en";
      root.dir = this.closest("[dir]")?.dir || (RTL.test(root.lang) ? "rtl" : "ltr");
    }

    // ------------------------------------------------------------------ the page

    #build() {
      const n = this.#n;
      const title = this.getAttribute("title") || t("name");
      this.removeAttribute("title"); // or the browser would show it as a tooltip over every message
      n.launcher = button(".solid.launcher", "nurse", n.launcherText = h("span"), () => this.toggleAttribute("open"),
        {"aria-expanded": "false", "aria-controls": "panel"});
      n.launcher.append(n.badge = h("span.badge"));

      n.menu = h("div.menu", {id: "menu", role: "group", "aria-label": t("menu"), hidden: ""},
        n.larger = button("", "", t("larger"), () => this.#larger(n.larger.ariaPressed !== "true")),
        button("", "", t("save"), () => this.#save()),
        button("", "", t("print"), () => this.#print()),
        button("", "", t("clear"), () => this.#confirm(true)));
      n.confirm = h("div.confirm", {role: "group", "aria-label": t("confirm"), hidden: ""},
        h("p", {}, h("b", {}, t("confirm"))), h("p", {}, t("confirm_help")),
        h("div.row", {}, button(".danger", "", t("confirm_yes"), () => this.#end()),
          n.no = button("", "", t("confirm_no"), () => this.#confirm(false))));
      n.log = h("div.log", {role: "log", "aria-live": "off", "aria-label": t("log"), tabindex: "0"},
        h("div.card", {}, h("h3", {}, t("intro_title")), h("p", {}, t("intro"))),
        n.past = h("div.past"), n.items = h("div"),
        n.typing = h("p.typing", {hidden: "", "aria-hidden": "true"}, "\u25cf\u25cf\u25cf"),
        n.offline = h("div.card.off", {hidden: "", role: "group", "aria-label": t("offline_title")},
          h("h3", {}, t("offline_title")), h("p", {}, t("offline")), h("p", {}, h("b", {}, t("offline_emergency"))),
          h("div.row", {}, call(".solid.danger", NUMBER, t("call")), PHONE && call("", PHONE, t("offline_clinic")))),
        n.ended = h("div.card", {hidden: "", role: "group", "aria-label": t("ended")},
          h("h3", {}, t("ended")), n.endedText = h("p"),
          h("div.row", {}, n.again = button(".solid", "", t("start"), () => this.#again()))),
        n.end = h("div"));
      n.foot = h("div.foot", {},
        n.latest = button(".latest", "", t("latest"), () => { this.#toEnd(); n.log.focus(); }, {hidden: ""}),
        n.line = h("p.line", {hidden: ""}, t("reconnecting")),
        h("form.compose", {submit: (event) => this.#submit(event)},
          n.input = h("textarea", {rows: "1", "aria-label": t("input"), placeholder: t("input"), enterkeyhint: "send",
            autocomplete: "off", dir: "auto", keydown: (event) => {
              if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.#submit(event);
            }}),
          button(".solid", "send", "", null, {type: "submit", "aria-label": t("send")})),
        h("p.sos", {dir: "auto"}, linked(t("emergency_line"))));
      n.dialog = h("dialog", {id: "panel", "aria-labelledby": "title", keydown: (event) => this.#escape(event),
        cancel: (event) => this.#escape(event), close: () => this.#small.matches && this.close()},
        h("header.head", {},
          h("span.mark", {}, icon("nurse")),
          h("div.names", {}, h("h2", {id: "title", dir: "auto"}, title), n.mode = h("p", {dir: "auto"}, t("bot"))),
          n.menuButton = button("", "menu", "", () => this.#menu(n.menu.hidden),
            {"aria-label": t("menu"), "aria-expanded": "false", "aria-controls": "menu"}),
          button("", "close", "", () => this.close(), {"aria-label": t("close")})),
        h("div.help", {},
          button("", "person", t("person"), () => this.#send(t("person_message"))),
          button("", "exit", t("exit"), () => this.#leave(), {"aria-describedby": "exit"}),
          h("span.sr", {id: "exit"}, t("exit_help"))),
        n.menu, n.confirm, n.log, n.foot);

      // Live regions are here, empty, from the start: a region that comes together with its words stays silent.
      n.live = [n.polite, n.loud, n.status] = ["polite", "assertive", "polite"].map((live, at) =>
        h("div.sr", {"aria-live": live, role: at === 2 ? "status" : null}));
      n.root = h("section.root", {"aria-label": t("name")}, n.launcher, n.dialog, n.live);

      const style = new CSSStyleSheet();
      style.replaceSync(CSS);
      this.attachShadow({mode: "open"}).adoptedStyleSheets = [style];
      this.shadowRoot.append(n.root);
      new IntersectionObserver(([{isIntersecting}]) => {
        this.#atEnd = isIntersecting;
        if (isIntersecting) n.latest.hidden = true;
      }, {rootMargin: "60px"}).observe(n.end);
    }

    #show(byUser) {
      const n = this.#n, open = this.hasAttribute("open");
      this.#launcher();
      if (open === n.dialog.open) return;
      this.#fit();
      if (open) {
        if (n.ended.hidden) this.#run();
        if (byUser || this.#small.matches) (n.ended.hidden ? n.input : n.again).focus();
        this.#toEnd();
        if (!this.#introduced) this.#queue.push(t("intro_title") + " " + t("intro"));
        this.#introduced = true;
        this.#queue.push(...this.#unread.map((item) => this.#spoken(item)));
        this.#unread = [];
        this.#urgent = false;
        this.#saw();
        setTimeout(() => this.#speak(), 150); // what comes together with a focus change is not heard
      } else {
        this.#menu(false);
        n.confirm.hidden = true;
        if (byUser) n.launcher.focus();
      }
      this.#tell(open ? "open" : "close");
    }

    /** Full screen on small screens: a modal dialog, so the browser keeps the focus in and the page inert. */
    #fit() {
      const {dialog, root, live} = this.#n, modal = this.#small.matches, focused = this.shadowRoot.activeElement;
      if (dialog.matches(":modal")) dialog.close();
      dialog.open = false;
      if (this.hasAttribute("open")) {
        if (modal) dialog.showModal();
        else dialog.open = true; // show() would take the focus, also on page load
        focused?.focus();
      }
      (dialog.matches(":modal") ? dialog : root).append(...live);
    }

    #launcher() {
      const n = this.#n, open = this.hasAttribute("open"), count = this.#unread.length;
      n.launcher.ariaExpanded = open;
      n.launcherText.textContent = t(open ? "close" : "launcher");
      n.badge.hidden = open || !count;
      n.badge.textContent = t(this.#urgent ? "unread_urgent" : "unread", {n: count});
      n.launcher.classList.toggle("danger", !open && !!this.#urgent);
    }

    #escape(event) {
      const n = this.#n;
      if (event.key && event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      if (!n.confirm.hidden) this.#confirm(false);
      else if (!n.menu.hidden) this.#menu(false);
      else this.close();
    }

    #menu(open) {
      const n = this.#n;
      if (n.menu.contains(this.shadowRoot.activeElement)) n.menuButton.focus();
      n.menu.hidden = !open;
      n.menuButton.ariaExpanded = open;
      if (open) n.larger.focus();
    }

    #confirm(ask) {
      this.#menu(false);
      this.#n.confirm.hidden = !ask;
      this.#n[ask ? "no" : "menuButton"].focus();
    }

    #larger(big) {
      this.#n.root.classList.toggle("big", !!big);
      this.#n.larger.ariaPressed = !!big;
      this.#keep("big", big || null);
    }

    // ------------------------------------------------------------------ speaking (live regions)

    #say(region, words) {
      const p = h("p", {}, words);
      region.append(p);
      setTimeout(() => p.remove(), 15000);
    }

    /** Says what waits, in order; nothing before the introduction was said. */
    #speak() {
      if (this.hasAttribute("open")) for (const words of this.#queue.splice(0)) this.#say(this.#n.polite, words);
    }

    #name(item) { return clean(item.name) || t(item.author); }

    #spoken({kind, choices, text, ...item}) {
      return (kind === "emergency" ? t(kind) : this.#name(item)) + ": " + clean(text) +
        (choices?.length ? " " + t("options", {n: choices.length, list: choices.map((choice) => clean(choice.label)).join(", ")}) : "");
    }

    #announce(item) {
      if (item.author === "patient" || item.seq <= this.#old) return;
      const urgent = item.kind === "emergency";
      if (urgent) this.#say(this.#n.loud, this.#spoken(item)); // never waits for anything
      if (!this.hasAttribute("open")) {
        this.#unread.push(item);
        this.#urgent ||= urgent;
        this.#launcher();
      } else if (!urgent) this.#queue.push(this.#spoken(item));
      this.#tell(urgent ? "emergency" : "message", {unread: this.#unread.length});
    }

    #saw() {
      if (!this.hasAttribute("open") || this.#max <= this.#seen) return;
      this.#keep("seen", this.#seen = this.#max);
    }

    // ------------------------------------------------------------------ messages

    /** A message of the server: shown once, however often and wherever it came from. */
    #receive(message) {
      const {id, seq, kind, text, client_id: mine} = message;
      this.#have.add(seq);
      const own = this.#items.find((item) => mine && item.client_id === mine);
      if (own) return this.#settle(own, message);
      // Advice that was given before the database knew of it may come again with a number: once is enough.
      if (this.#items.some((item) => item.id === id ||
        kind === "emergency" && item.text === text && !(item.seq && seq))) return;
      this.#typing(false);
      this.#place(message);
      this.#announce(message);
    }

    /** Our own message has arrived at the server. */
    #settle(item, {id, seq}) {
      this.#outbox = this.#outbox.filter((other) => other !== item);
      this.#store();
      if (item.id === id) return;
      if (this.#items.some((other) => other.id === id)) return this.#drop(item);
      Object.assign(item, {id, seq, state: null});
      this.#have.add(seq);
      this.#place(item);
    }

    #drop(item) {
      this.#items = this.#items.filter((other) => other !== item);
      item.node?.remove();
    }

    #place(item) {
      this.#max = Math.max(this.#max, item.seq || 0);
      // What is not sent stands last; what the server could not number stands where it arrived.
      item.order = item.state ? Infinity : item.seq || this.#max + ++this.#tiny / 1e6;
      this.#drop(item);
      item.node ||= this.#render(item);
      let at = this.#items.length;
      while (at && this.#items[at - 1].order > item.order) at--;
      this.#n.items.insertBefore(item.node, this.#items[at]?.node || null);
      this.#items.splice(at, 0, item);
      this.#note(item);
      if (!this.#batch) queueMicrotask(() => this.#placed());
      (this.#batch ||= []).push(item);
    }

    /** After a batch of changes, once for all of them. */
    #placed() {
      const come = this.#batch.filter((item) => item.author !== "patient"), urgent = come.find((item) => item.kind === "emergency");
      if (this.#batch.some((item) => item.state)) this.#toEnd();
      if (urgent) urgent.node.scrollIntoView();
      else if (this.#atEnd) [come.at(-1), come[0]].forEach((item) => item?.node.scrollIntoView({block: "nearest"}));
      else if (come.length) this.#n.latest.hidden = false;
      this.#batch = null;
      this.#answered();
      this.#saw();
      this.#speak();
    }

    #render({author, kind, text, lang, at, name, choices, ...item}) {
      const urgent = kind === "emergency", patient = author === "patient";
      const origins = [location.origin, new URL(this.#base).origin];
      return h("div.msg." + author + (urgent ? ".alert" : ""), {},
        h("div.meta", {}, h(patient ? "b.sr" : "b", {dir: "auto"}, this.#name({author, name})), h("time", {datetime: at}, clock(at))),
        h("div.bubble", {lang, ...(urgent && {role: "group", "aria-label": t(kind)})},
          urgent && h("h3", {}, icon("alert"), t(kind)),
          formatted(text, (words) => (patient ? [words] : linked(words, origins))),
          urgent && call(".solid.danger", NUMBER, t("call"))),
        choices?.length && h("div.choices", {role: "group", "aria-label": t("choose")}, choices.map((choice) =>
          button(".choice", "", clean(choice.label), (event) => this.#choose(event.currentTarget, choice), {dir: "auto"}))));
    }

    /** The line under an own message that is not sent yet. */
    #note(item) {
      const failed = item.state === "failed";
      item.note?.remove();
      item.note = item.state && h(failed ? "div.note.bad" : "div.note", {},
        failed ? t("failed", {why: item.why}) : t(this.#n.line.hidden ? "sending" : "queued"),
        failed && button("", "", t("edit"), () => this.#edit(item)));
      if (item.note) item.node.append(item.note);
    }

    #edit(item) {
      const {input} = this.#n;
      input.value = item.text + "\n" + input.value;
      this.#drop(item);
      this.#answered();
      input.focus();
    }

    /** Choices are open until the patient has said something after them; the one that was said is marked. */
    #answered() {
      let said;
      for (const item of [...this.#items].reverse()) {
        if (item.author === "patient" && item.state !== "failed") said = item;
        if (!item.choices?.length || item.said === said) continue;
        item.said = said;
        item.node.querySelectorAll(".choice").forEach((node, at) => {
          const label = clean(item.choices[at].label), chosen = said && clean(said.text) === label;
          node.ariaDisabled = !!said;
          node.classList.toggle("chosen", !!chosen);
          node.replaceChildren(...(chosen ? ["\u2713 " + label, h("span.sr", {}, t("chosen"))] : [label]));
        });
      }
    }

    #choose(node, {label, id}) {
      if (node.ariaDisabled === "true") return;
      this.#send(clean(label), id);
      this.#say(this.#n.status, t("chose", {label: clean(label)}));
    }

    #submit(event) {
      const {input} = this.#n, words = input.value;
      event.preventDefault();
      input.value = "";
      if (words.trim()) this.#send(words);
      input.focus();
    }

    #send(text, choice) {
      this.#n.ended.hidden = true;
      this.#typingSaid = false;
      this.#queueUp({client_id: uuid(), text, choice, at: now()});
      this.#store();
      if (!this.#n.line.hidden) this.#say(this.#n.status, t("queued"));
      this.#run();
      this.#flush();
    }

    #queueUp(kept) {
      const item = {...kept, author: "patient", state: "waiting", tries: 0};
      this.#outbox.push(item);
      this.#place(item);
    }

    #store() {
      this.#keep("out", this.#outbox.length ? this.#outbox.map(({client_id, text, choice, at}) => ({client_id, text, choice, at})) : null);
    }

    /** Sends the outbox in order. What is not sure to have arrived is sent again under the same id. */
    async #flush() {
      clearTimeout(this.#retry);
      if (this.#flushing) return;
      this.#flushing = true;
      for (let item; this.#token && (item = this.#outbox[0]);) {
        const round = this.#round, {client_id, text, choice} = item;
        let answer;
        try {
          answer = await this.#api("POST", "messages", choice ? {client_id, choice} : {client_id, text});
        } catch (error) {
          answer = error;
        }
        if (round !== this.#round) continue;
        const {status, error} = answer;
        if (answer.id) this.#settle(item, answer);
        answer.advice?.forEach((message) => this.#receive(message));
        if (answer.id) continue;
        if (status === 401) {
          this.#expired();
        } else if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) {
          item.state = "failed";
          item.why = clean(error?.message);
          this.#outbox.shift();
          this.#store();
          this.#place(item);
          this.#say(this.#n.status, t("failed", item));
        } else {
          this.#retry = setTimeout(() => this.#flush(), Math.max(answer.after * 1000 || 0, backoff(item.tries++)));
          break;
        }
      }
      this.#flushing = false;
    }

    // ------------------------------------------------------------------ the server

    /** The answer's JSON (or the answer itself for a stream); throws {status, after, error, advice}, or the network's error. */
    async #api(method, path, body, more) {
      const answer = await fetch(this.#base + path, {method, body: body && JSON.stringify(body), cache: "no-store", credentials: "omit",
        headers: {...(this.#token && {authorization: "Bearer " + this.#token}), "content-type": "application/json", "last-event-id": this.#last},
        signal: AbortSignal.timeout(20000), ...more});
      const {ok, status} = answer;
      if (ok && (more || status === 204)) return answer;
      const data = await answer.json().catch((error) => ok ? Promise.reject(error) : {}); // cut off: not known to have arrived
      if (ok) return data;
      throw {...data, status, after: +answer.headers.get("retry-after")};
    }

    /** The session of this browser, or a new one. Tabs that share one take turns, so that they make only one. */
    async #session() {
      const round = this.#round;
      const make = async () => {
        if (this.#keep("session")) return;
        const made = await this.#api("POST", "sessions", {});
        if (round !== this.#round) return;
        this.#keep("seen", null);
        this.#keep("session", made);
      };
      await (this.#local && navigator.locks ? navigator.locks.request(this.#key, make) : make());
      if (round !== this.#round) return;
      const {token, expires_at} = this.#keep("session");
      this.#token = token;
      this.#seen = this.#old = this.#keep("seen") || 0;
      const left = new Date(expires_at) - Date.now() - 120000;
      if (left > 0 && left < 1e9) {
        this.#expiry = setTimeout(() => this.#notice(t("expiring", {time: clock(expires_at)})), left);
      }
    }

    #notice(text) {
      const item = {author: "system", text, at: now()};
      this.#place(item);
      this.#announce(item);
      return item;
    }

    /** The loop that keeps the stream of events open, for as long as there is a chat. */
    async #run() {
      this.#halted = false;
      if (this.#running) return;
      this.#running = true;
      for (let tries = 0; !this.#halted; tries++) {
        const round = this.#round;
        try {
          if (!this.#token) await this.#session();
          await this.#listen(() => { tries = 0; });
        } catch (error) {
          if (error.status === 401 && round === this.#round) this.#expired();
        }
        if (this.#halted) break;
        if (round === this.#round) this.#net(false);
        await new Promise((resolve) => {
          this.#wake = resolve;
          setTimeout(resolve, backoff(tries));
        });
      }
      this.#running = false;
    }

    async #listen(opened) {
      const stop = this.#stop = new AbortController(), round = this.#round;
      // The server sends a heartbeat every 15 s: silence is a dead connection.
      const guard = setInterval(() => Date.now() - this.#heard > 40000 && stop.abort(), 5000);
      try {
        this.#heard = Date.now();
        const {body} = await this.#api("GET", "events", null, {signal: stop.signal});
        opened();
        this.#net(true);
        this.#flush();
        const reader = body.pipeThrough(new TextDecoderStream()).getReader();
        for (let rest = ""; ;) {
          const {done, value} = await reader.read();
          if (done) break;
          this.#heard = Date.now();
          const parts = (rest + value).split(/\r?\n\r?\n/);
          rest = parts.pop();
          for (const part of parts) if (round === this.#round) this.#event(part);
        }
      } finally {
        clearInterval(guard);
        stop.abort();
      }
    }

    #event(part) {
      const {event, id, data} = Object.fromEntries(part.split(/\r?\n/).map((line) => line.split(/: ?(.*)/)));
      const detail = JSON.parse(data || null);
      if (id) this.#last = Math.max(this.#last, id);
      if (event === "message") { this.#receive(detail); this.#gaps(); }
      else if (event === "typing") this.#typing(detail.on);
      else if (event === "state") this.#state(detail);
      else if (event === "ended") this.#over("ended_text");
    }

    /** Numbers run without a gap. If one stays missing, the transcript is asked for it, once. */
    #gaps() {
      const behind = () => {
        while (this.#have.has(this.#checked + 1)) this.#checked++;
        return this.#checked < this.#last;
      };
      clearTimeout(this.#gap);
      if (behind()) {
        this.#gap = setTimeout(async () => {
          const round = this.#round, last = this.#last;
          if (!behind()) return;
          const {messages} = await this.#api("GET", "transcript").catch(() => ({}));
          if (round !== this.#round || !messages) return;
          messages.forEach((message) => this.#receive(message));
          this.#checked = last;
        }, 400);
      }
    }

    #typing(on) {
      const {typing, status} = this.#n;
      clearTimeout(this.#typingTimer);
      typing.hidden = !on;
      if (!on) return;
      if (this.#atEnd) this.#toEnd();
      this.#typingTimer = setTimeout(() => this.#typing(false), 30000);
      if (!this.#typingSaid) this.#say(status, t("typing", {name: this.#clinician || t("assistant")}));
      this.#typingSaid = true;
    }

    #state({mode, clinician}) {
      const name = this.#clinician = mode === "human" ? clean(clinician) || t("clinician") : "";
      this.#n.mode.textContent = t(mode, {name});
      if (this.#mode === mode) return;
      this.#mode = mode;
      this.#say(this.#n.status, t("now_" + mode, {name}));
      this.#tell("state", {mode});
    }

    /** Connected or not: said only when it lasts. */
    #net(up) {
      const {line, offline, status} = this.#n;
      if (up) this.#lost = clearTimeout(this.#lost);
      if (line.hidden === up || this.#lost && navigator.onLine) return;
      this.#lost = setTimeout(() => {
        this.#lost = null;
        line.hidden = offline.hidden = up;
        this.#outbox.forEach((item) => this.#note(item));
        if (this.#atEnd) this.#toEnd();
        this.#say(status, up ? t("connected") : [t("reconnecting"), t("offline_emergency"), t("call")].join(" "));
        this.#tell("connection", {connected: up});
      }, up || !navigator.onLine ? 0 : 2000); // a shorter loss is not worth frightening anybody
    }

    #hurry() {
      if (Date.now() - this.#heard > 20000) this.#stop?.abort(); // slept: do not trust the old stream
      this.#wake?.();
      this.#flush();
    }

    // ------------------------------------------------------------------ the end of a session

    #reset() {
      this.#round++;
      this.#token = null;
      this.#items = [];
      this.#unread = [];
      this.#queue = [];
      this.#have.clear();
      this.#last = this.#checked = this.#max = this.#seen = this.#old = 0;
      this.#urgent = false;
      this.#typing(false);
      [this.#expiry, this.#retry, this.#gap].forEach(clearTimeout);
      this.#stop?.abort();
    }

    #halt() {
      this.#halted = true;
      this.#stop?.abort();
      this.#wake?.();
    }

    /** The server no longer knows our session: a new one, and say so. What was not sent goes into the new one. */
    #expired() {
      if (this.#keep("session")?.token === this.#token) this.#keep("session", null);
      const old = this.#items.filter((item) => !item.state);
      for (const {node} of old) {
        node.querySelectorAll(".choice").forEach((choice) => { choice.ariaDisabled = true; });
        this.#n.past.append(node);
      }
      const waiting = this.#outbox;
      this.#reset();
      this.#n.past.append(this.#notice(t("expired")).node);
      this.#items = waiting;
      this.#state({mode: "bot"});
    }

    /** Nothing of this chat stays in this browser. */
    #forget() {
      const n = this.#n;
      this.#outbox = [];
      for (const name of ["out", "session", "seen"]) this.#keep(name, null);
      this.#reset();
      this.#halt();
      for (const node of [n.items, n.past, ...n.live]) node.replaceChildren();
      n.input.value = "";
      n.line.hidden = n.offline.hidden = n.latest.hidden = true;
      clearTimeout(this.#lost);
      this.#mode = "bot";
      n.mode.textContent = t("bot");
    }

    #over(words) {
      const {ended, endedText, status} = this.#n;
      this.#forget();
      ended.hidden = false;
      endedText.textContent = t(words);
      this.#launcher();
      this.#say(status, t("ended"));
      this.#tell("end");
    }

    async #end() {
      const told = this.#goodbye(), {confirm, again, endedText} = this.#n;
      confirm.hidden = true;
      this.#over("ended_text");
      again.focus();
      if (!await told) endedText.textContent = t("ended_unsure");
    }

    /** Tells the server that this session is over; true when it knows. */
    #goodbye() {
      return !this.#token || this.#api("DELETE", "sessions/current", null, {keepalive: true})
        .then(() => true, (error) => error.status === 401);
    }

    #again() {
      this.#n.ended.hidden = true;
      this.#run();
      this.#n.input.focus();
    }

    #leave() {
      const own = this.getAttribute("exit-url");
      this.#goodbye();
      this.#forget();
      this.#n.root.hidden = true;
      location.replace(/^https?:/.test(own) ? own : TEXTS.quick_exit_url);
    }

    #otherTab({key, newValue}) {
      if (key !== this.#key + "session" || !this.#token) return;
      if (!newValue) this.#over("ended_text");
      else this.#token = JSON.parse(newValue).token;
    }

    // ------------------------------------------------------------------ copies

    #copy() {
      return [t("saved_title"), date(now()), t("saved_note"), ...this.#items.map((item) =>
        `[${date(item.at)}] ${this.#name(item)}${item.state ? " (" + t("sending") + ")" : ""}: ${clean(item.text)}`)];
    }

    #save() {
      const text = this.#copy().join("\n\n").replace(/\n/g, "\r\n");
      h("a", {href: "data:text/plain;charset=utf-8," + encodeURIComponent(text), download: "chat.txt"}).click();
      this.#menu(false);
    }

    // A page of its own to print: the clinic's page stays as it is.
    #print() {
      const frame = h("iframe.sr", {title: t("print"), tabindex: "-1"});
      this.#menu(false);
      this.#n.root.append(frame);
      const view = frame.contentWindow, style = new view.CSSStyleSheet(), [title, ...lines] = this.#copy();
      style.replaceSync(PRINT);
      view.document.adoptedStyleSheets = [style];
      view.document.body.append(h("h1", {}, title), ...lines.map((line) => h("p", {dir: "auto"}, line)));
      view.onafterprint = () => frame.remove();
      view.print();
    }

    #toEnd() {
      this.#n.end.scrollIntoView({block: "end"});
      this.#n.latest.hidden = this.#atEnd = true;
    }
  }

  customElements.get("careline-chat") || customElements.define("careline-chat", CarelineChat);
})();
