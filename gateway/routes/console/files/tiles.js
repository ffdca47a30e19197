// The summary's tiles of data services and of webhooks.

import { NONE } from "./dom.js";
import { failuresFound } from "./failures.js";
import { number, t } from "./language.js";
import { isRunning } from "./reruns.js";
import { tile } from "./summary.js";
import { subscriptionsFound } from "./webhooks.js";

/** Return the tiles that this person may see and whose figures are there. */
export const otherTiles = () => [
  failuresFound() && failuresTile(failuresFound()),
  subscriptionsFound() && webhooksTile(subscriptionsFound()),
].filter(Boolean);

function failuresTile({ keeping, failures }) {
  const kept = failures.reduce((sum, one) => sum + one.kept, 0);
  const causes = failures.filter((one) => one.kept > 0).length;
  const note = !keeping ? t("failures.tile_not_kept")
    : isRunning() ? t("failures.tile_running")
      : causes ? t("failures.tile_causes", { n: number(causes) }) : t("failures.tile_none");
  return tile("#failures", kept || !keeping ? "warn" : "ok", t("failures.tile"), number(kept), note);
}

function webhooksTile(subscriptions) {
  if (!subscriptions.length) return tile("#webhooks", "none", t("webhooks.title"), NONE, t("webhooks.none"));
  const cut = subscriptions.filter((one) => !one.enabled && one.disabled_because !== "asked").length;
  const failing = subscriptions.filter((one) => one.enabled && one.failing_since).length;
  const active = subscriptions.filter((one) => one.enabled).length;
  const note = cut ? t("webhooks.tile_cut", { n: number(cut) })
    : failing ? t("webhooks.tile_failing", { n: number(failing) }) : t("webhooks.tile_fine");
  return tile("#webhooks", cut ? "bad" : failing ? "warn" : "ok", t("webhooks.tile"), `${number(active)}/${number(subscriptions.length)}`, note);
}
