// A phone that is not there: it sends and gets text messages through the development endpoints of the gateway.
"use strict";

const $ = (id) => document.getElementById(id);
const thread = $("thread");
let number = new URLSearchParams(location.search).get("number") || sessionStorage.getItem("number") || "+447700900123";
let last = 0;
let day = "";
let asking = null;

const make = (tag, name, text) => {
  const node = document.createElement(tag);
  node.className = name;
  node.textContent = text;
  return node;
};

function use(chosen) {
  number = chosen.replace(/[^+\d]/g, "");
  sessionStorage.setItem("number", number);
  last = 0;
  day = "";
  $("number").value = number;
  $("me").textContent = number;
  thread.replaceChildren(make("p", "empty", "No messages yet. Write to the clinic below."));
  poll();
}

function show(message) {
  thread.querySelector(".empty")?.remove();
  const atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
  const at = new Date(message.at);
  const minute = at.toLocaleString([], {weekday: "short", hour: "2-digit", minute: "2-digit"});
  if (minute !== day) thread.append(make("p", "when", day = minute));
  const bubble = make("p", `text ${message.direction === "out" ? "out" : "in"}`, message.body);
  bubble.dir = "auto";
  thread.append(bubble);
  thread.querySelectorAll(".status:not(.bad)").forEach((old) => old.remove());
  if (message.direction === "out" && message.status) {
    thread.append(make("p", /fail|undelivered/.test(message.status) ? "status bad" : "status", message.status));
  }
  if (atEnd || message.direction === "out") thread.scrollTop = thread.scrollHeight;
}

/** Asks for new texts; several callers share one request, so that nothing is shown twice. */
function poll() {
  const mine = number;
  asking ||= fetch(`/dev/phone/messages?number=${encodeURIComponent(mine)}&after=${last}`)
    .then((answer) => answer.ok ? answer.json() : Promise.reject(answer.status))
    .then(({messages}) => {
      $("state").textContent = "";
      if (mine !== number) return;
      for (const message of messages) {
        if (message.id <= last) continue;
        last = message.id;
        show(message);
      }
    })
    .catch(() => { $("state").textContent = "No signal: the gateway does not answer."; })
    .finally(() => { asking = null; });
  return asking;
}

async function send(body) {
  try {
    const answer = await fetch("/dev/phone/messages", {method: "POST", headers: {"content-type": "application/json"},
      body: JSON.stringify({number, body})});
    if (!answer.ok) throw new Error(answer.status);
    $("state").textContent = "";
    return true;
  } catch {
    $("state").textContent = "Not sent. Please try again.";
    return false;
  } finally {
    await asking;
    poll();
  }
}

$("write").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = $("body").value;
  if (!body.trim()) return;
  $("body").value = "";
  if (!await send(body)) $("body").value = body;
});
$("body").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("write").requestSubmit();
});
$("choose").addEventListener("submit", (event) => {
  event.preventDefault();
  use($("number").value);
});
$("samples").addEventListener("click", (event) => {
  const sample = event.target.closest("button");
  if (!sample) return;
  $("body").value = sample.textContent;
  $("body").focus();
});

const tick = () => { $("clock").textContent = new Date().toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"}); };
fetch("/v1/config").then((answer) => answer.json()).then(({clinic}) => { $("clinic").textContent = clinic.name; }).catch(() => {});
tick();
setInterval(tick, 10000);
use(number);
setInterval(poll, 1000);
