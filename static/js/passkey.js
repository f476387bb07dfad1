// <form data-passkey="get|create" data-options="{…}" [data-start]>: asks for a security key; the server judges the answer.

import { $, $$ } from "./core.js";

const form = $("[data-passkey]");
const button = $("button", form);
const kind = form.dataset.passkey;
const parse = window.PublicKeyCredential?.[`parse${kind === "get" ? "Request" : "Creation"}OptionsFromJSON`];
const tell = (name) => { for (const words of $$("[data-told]", form)) words.hidden = words.dataset.told !== name; };

async function ask(event) {
  event?.preventDefault();
  tell();
  button.disabled = true;
  try {
    const made = await navigator.credentials[kind]({ publicKey: parse(JSON.parse(form.dataset.options)) });
    form.elements.credential.value = JSON.stringify(made.toJSON());
    form.submit();
  } catch (error) {
    tell(error.name === "InvalidStateError" ? "known" : "cancelled");
    button.disabled = false;
  }
}

form.addEventListener("submit", ask);
button.hidden = !parse;
if (!parse) tell("old");
else if ("start" in form.dataset) ask();
