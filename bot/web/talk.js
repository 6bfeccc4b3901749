// What was said, the newest below: it follows what comes unless someone reads further up.
const MOST_SHOWN = 100;
const NEAR = 48; // pixels from where the newest begins that still count as being there

export class Talk {
  constructor(box, toNew) {
    this.box = box;
    this.toNew = toNew; // the button that says how much is new
    this.fresh = 0;
    this.follows = true;
    this.newest = null;
    box.addEventListener("scroll", () => this.scrolled(), { passive: true });
    toNew.addEventListener("click", () => { this.follow(true); box.focus(); });
    new ResizeObserver(() => this.follow()).observe(box);
  }

  /** Put it below; what `begins` a turn stays in sight above a long answer, of what `ends` the end does. */
  add(made, { begins = false, ends = false, own = false } = {}) {
    this.box.append(made);
    while (this.box.children.length > MOST_SHOWN) this.box.firstElementChild.remove();
    if (ends) this.newest = null;
    else if (begins || !this.newest?.isConnected) this.newest = made;
    this.fresh = this.follows || own ? 0 : this.fresh + 1;
    this.follow(own);
  }

  /** Put it in the other's place, and the focus that was there. */
  replace(before, made) {
    const held = before.contains(document.activeElement);
    if (this.newest === before) this.newest = made;
    before.replaceWith(made);
    if (held) (made.querySelector("button") ?? this.box).focus({ preventScroll: true });
    this.follow();
  }

  /** Show the newest again, where nobody reads further up, or in any case. */
  follow(anyway = false) {
    if (anyway) this.follows = true;
    if (this.follows) {
      this.fresh = 0;
      this.box.scrollTop = this.goal();
    }
    this.toNew.hidden = !this.fresh;
    this.toNew.textContent = `${this.fresh} new ↓`;
  }

  goal() {
    const end = this.box.scrollHeight - this.box.clientHeight;
    return this.newest ? Math.min(end, this.newest.offsetTop - this.box.offsetTop) : end;
  }

  scrolled() {
    this.follows = this.box.scrollTop > this.goal() - NEAR;
    if (this.follows && this.fresh) {
      this.fresh = 0;
      this.toNew.hidden = true;
    }
  }
}
