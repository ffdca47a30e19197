// What goes on with others' systems, for those who may see it: calls to data services that failed, and webhooks.

import { filterDeliveries } from "./deliveries.js";
import { byId } from "./dom.js";
import { forgetFailures, hurryFailures, openFailure, refreshFailures, showFailures } from "./failures.js";
import { t } from "./language.js";
import { forgetReruns, hurryReruns, openRerun, prepareReruns, refreshReruns, showReruns, steer } from "./reruns.js";
import { may, NoAnswer } from "./session.js";
import { forgetWebhooks, hurryWebhooks, openSubscription, refreshWebhooks, showWebhooks } from "./webhooks.js";

const OPENED_BY = { failure: openFailure, rerun: openRerun, subscription: openSubscription };

export function forgetParts() {
  forgetFailures();
  forgetReruns();
  forgetWebhooks();
}

/** Let everything be asked anew at the next occasion. */
export function hurryParts() {
  hurryFailures();
  hurryReruns();
  hurryWebhooks();
}

export const refreshParts = () => Promise.all([refreshFailures(), refreshReruns(), refreshWebhooks()]);

/** Wire up what can be opened, filtered and steered. */
export function prepareParts({ toast, show, look }) {
  prepareReruns((words) => {
    toast(words);
    hurryFailures();
  });
  byId("board").addEventListener("click", async ({ target }) => {
    const opener = target.closest("[data-open]");
    const steering = target.closest("[data-steer]");
    if (steering) await press(steering, toast);
    if (opener) OPENED_BY[opener.dataset.open](opener.dataset.of);
    if (opener) show();
    if (opener || steering) await look();
  });
  byId("board").addEventListener("change", async ({ target }) => {
    if (target.dataset.filter !== "deliveries") return;
    filterDeliveries(target.value);
    hurryWebhooks();
    show();
    await look();
  });
}

async function press(button, toast) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    toast(await steer(button.dataset.of, button.dataset.steer));
  } catch (problem) {
    toast(problem instanceof NoAnswer ? t("reruns.unknown") : problem.words?.() ?? String(problem));
    hurryReruns();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/** Show the parts; `body` returns where the content of a section goes. */
export function showParts(body) {
  byId("failures").hidden = !may("services:read");
  byId("webhooks").hidden = !may("webhooks:read");
  if (may("services:read")) {
    showFailures(body("failures"));
    showReruns(byId("reruns"));
  }
  if (may("webhooks:read")) showWebhooks(body("webhooks"));
}
