// The frame: side bar, sticky page head, counters, and what happens when a request fails (UX 5.3).

import { composing } from "./ime.js";
import { $, $$, fresh, on, renew, request, text, token } from "./core.js";
import { failed, refused } from "./toast.js";

const POLL = 60000;
let retry = null;
let waiting = null; // the request that goes on after the login

/** The banner "Offline"; `again` repeats what could not be sent. */
export function offline(yes, again) {
  const banner = $("#offline");
  if (!banner) return;
  if (yes && again) retry = again;
  banner.hidden = !yes;
}

function repeat(detail, more = {}) {
  const { requestConfig: config, elt } = detail;
  return () => {
    const source = elt.isConnected ? elt : document.body;
    if (config.parameters.csrfmiddlewaretoken) config.parameters.csrfmiddlewaretoken = token();
    window.htmx.ajax(config.verb.toUpperCase(), config.path, { source, target: detail.target?.isConnected ? detail.target : undefined, values: config.parameters, headers: { ...config.headers, "X-CSRFToken": token(), ...more } });
  };
}

/** The session is over: log in beside this page, then repeat the request; nothing typed is lost. */
function loginAgain(again) {
  const dialog = $("#dialog");
  const asked = dialog && dialog.open && $("[data-login-again]", dialog);
  waiting = again || (asked ? waiting : null); // the polls that fail meanwhile have nothing to repeat
  if (!dialog || asked) return;
  dialog.replaceChildren($("#login-template").content.cloneNode(true));
  $("[data-again]", dialog).addEventListener("click", () => {
    dialog.close();
    waiting?.();
  });
  if (!dialog.open) dialog.showModal();
}

function watchRequests() {
  let last = null;
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    last = repeat(event.detail);
    const newer = xhr.status === 403 && !event.detail.requestConfig.headers["X-Renewed"] && xhr.getResponseHeader("X-CSRFToken");
    if (xhr.status === 401) loginAgain(last);
    else if (newer) {
      renew(newer);
      repeat(event.detail, { "X-Renewed": "1" })(); // once: where cookies are blocked no token is ever valid
    } else if (xhr.status === 403 || xhr.status === 404) {
      if (!xhr.getResponseHeader("HX-Trigger")) failed(text(xhr.status === 403 ? "no-permission" : "gone"));
    } else refused(xhr.status, xhr.getResponseHeader("X-Request-ID"), last);
  });
  for (const type of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(type, (event) => offline(true, repeat(event.detail)));
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) offline(false);
    for (const element of [event.target, event.detail.target]) element?.removeAttribute?.("aria-busy");
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    for (const element of [event.target, event.detail.target]) if (element !== document.body) element?.setAttribute?.("aria-busy", "true");
  });
  document.addEventListener("login-required", (event) => setTimeout(() => loginAgain(event.detail?.retry))); // after htmx told which request it was
  window.addEventListener("offline", () => offline(true));
  window.addEventListener("online", () => { offline(false); retry?.(); retry = null; });
  on("click", "[data-retry]", () => { offline(false); retry?.(); });
}

async function counters() {
  const url = document.body.dataset.countersUrl;
  if (!url || document.hidden) return;
  try {
    const answer = await request(url);
    if (answer.status !== 200) return;
    for (const [name, value] of Object.entries(await answer.json())) {
      for (const element of $$(`[data-counter="${CSS.escape(name)}"]`)) {
        element.textContent = value > 99 ? "99+" : value;
        element.hidden = !value;
      }
    }
  } catch {
    // the next poll tries again
  }
}

/** A picture that did not come, as when a page has more of them than one person may ask for at once, is asked for again. */
function again(picture) {
  const tried = Number(picture.dataset.tried || 0) + 1;
  if (tried > 5) return;
  picture.dataset.tried = tried;
  setTimeout(() => { picture.src = picture.getAttribute("src"); }, 1000 * tried * (1 + Math.random()));
}

function pictures() {
  document.addEventListener("error", ({ target }) => target instanceof HTMLImageElement && again(target), true);
  for (const picture of $$("img")) if (picture.complete && !picture.naturalWidth) again(picture);
}

const remember = (side) => {
  document.cookie = `side=${side}; path=/; max-age=31536000; samesite=lax`;
  document.documentElement.dataset.side = side;
};

function sideBar() {
  const nav = $("[data-side-nav]");
  if (!nav) return;
  const groups = $$(".grp", nav);
  const kept = localStorage.getItem("side-group");
  if (!groups.some((group) => group.open)) {
    const group = groups.find((one) => one.dataset.group === kept);
    if (group && !document.documentElement.dataset.side) group.open = true;
  }
  nav.addEventListener("toggle", (event) => {
    const group = event.target;
    if (!group.matches(".grp")) return;
    if (group.open) {
      localStorage.setItem("side-group", group.dataset.group);
      // browsers without <details name> leave the others open
      for (const other of groups) if (other !== group && other.open) other.open = false;
    } else if (kept === group.dataset.group) localStorage.removeItem("side-group");
  }, true);
  const fold = $("[data-fold-side]", nav);
  if (fold) fold.hidden = false;
  const here = $("[aria-current]", nav)?.getBoundingClientRect();
  if (here) nav.scrollTop += Math.max(0, here.bottom - nav.getBoundingClientRect().bottom); // the page stays where it is
}

function pageHead(root) {
  for (const head of fresh("[data-pagehead]", root, "headSeen")) {
    const measure = () => document.documentElement.style.setProperty("--ph", `${getComputedStyle(head).position === "sticky" ? head.offsetHeight : 0}px`);
    new ResizeObserver(measure).observe(head);
    measure();
    window.addEventListener("scroll", () => head.classList.toggle("stuck", scrollY > 4), { passive: true });
  }
}

export function enhance(root) {
  pageHead(root);
  for (const button of fresh("[data-show-password]", root, "seen")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const input = document.getElementById(button.getAttribute("aria-controls"));
      const plain = input.type === "password";
      input.type = plain ? "text" : "password";
      button.setAttribute("aria-pressed", String(plain));
      input.focus();
    });
  }
}

export function start() {
  sideBar();
  watchRequests();
  pictures();
  on("click", "[data-fold-side]", (event) => {
    event.preventDefault();
    remember(document.documentElement.dataset.side === "icons" ? "" : "icons");
  });
  on("click", "[data-copy]", async (event, button) => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("flash");
    setTimeout(() => button.classList.remove("flash"), 1200);
  });
  document.addEventListener("keydown", (event) => {
    // the menu on the phone is opened by a link to #side
    if (event.key === "Escape" && !composing(event) && location.hash === "#side") location.hash = "#main";
  });
  setInterval(counters, POLL);
  if (document.readyState === "complete") counters();
  else window.addEventListener("load", counters);
}
