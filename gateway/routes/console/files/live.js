// Keeps figures fresh: asks every two seconds while somebody can see them, and knows how old they are.

const EVERY_MS = 2_000;

export class Live {
  /** ask: brings new figures or throws; told: called whenever `contact` changes or figures came. */
  constructor(ask, told) {
    this.ask = ask;
    this.told = told;
    this.contact = "starting";
    this.freshAt = null;
    this.lostAt = null;
    this.why = null;
    this.timer = null;
    this.asking = null;
    this.running = false;
    document.addEventListener("visibilitychange", () => this.running && this.look());
  }

  start() {
    this.running = true;
    this.contact = "starting";
    this.freshAt = null;
    return this.look();
  }

  stop() {
    this.running = false;
    clearTimeout(this.timer);
  }

  /** Ask now, unless the page is hidden: then rest until it is seen again. */
  look() {
    clearTimeout(this.timer);
    if (!document.hidden) return this.askNow();
    this.contact = "paused";
    this.told();
    return Promise.resolve();
  }

  /** Ask once; calls made meanwhile wait for a question asked after them. */
  async askNow() {
    while (this.asking) await this.asking;
    this.asking = this.once();
    await this.asking;
  }

  async once() {
    clearTimeout(this.timer);
    try {
      await this.ask();
      this.contact = "live";
      this.freshAt = Date.now();
      this.lostAt = this.why = null;
    } catch (problem) {
      if (this.contact !== "lost") this.lostAt = Date.now();
      this.contact = "lost";
      this.why = problem;
    }
    this.asking = null;
    if (!this.running) return;
    this.timer = setTimeout(() => this.look(), EVERY_MS);
    this.told();
  }
}

/** Paces questions whose answers change slowly. */
export class Pace {
  constructor(everyMs) {
    this.everyMs = everyMs;
    this.hurry();
  }

  due() {
    return performance.now() - this.at >= this.everyMs;
  }

  asked() {
    this.at = performance.now();
  }

  /** Let it be asked again at the next occasion. */
  hurry() {
    this.at = -Infinity;
  }
}
