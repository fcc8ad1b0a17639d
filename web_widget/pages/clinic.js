// The demo page's own few lines: its button opens the chat, and its name and numbers are the clinic's settings.
"use strict";

const chat = document.querySelector("careline-chat");
document.querySelector("[data-open-chat]").addEventListener("click", () => chat.open());

const fill = (selector, act) => document.querySelectorAll(selector).forEach(act);

fetch("/v1/config").then((answer) => answer.json()).then(({clinic, emergency_number: number}) => {
  document.title = clinic.name;
  fill("[data-clinic]", (node) => { node.textContent = clinic.name; });
  fill("[data-phone]", (node) => {
    node.textContent = node.classList.contains("second") ? `Call ${clinic.phone}` : clinic.phone;
    node.href = `tel:${clinic.phone.replace(/[^+\d]/g, "")}`;
  });
  fill("[data-emergency]", (node) => { node.textContent = number; node.href = `tel:${number}`; });
}).catch(() => { /* the page says what it says */ });
