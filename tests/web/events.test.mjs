// Listening to the server, also to one that is not there any more without a word.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { listen } from "../../bot/web/events.js";

let opened;
let told;

class Source extends EventTarget {
  static CLOSED = 2;

  constructor() {
    super();
    this.readyState = 1;
    opened.push(this);
  }

  close() {
    this.readyState = Source.CLOSED;
  }

  say(name, data = {}) {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  }

  fail(state) {
    this.readyState = state;
    this.dispatchEvent(new Event("error"));
  }
}

beforeEach(() => {
  opened = [];
  told = [];
  globalThis.EventSource = Source;
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  listen({ spot: ({ spot }) => told.push(spot) }, () => told.push("lost"));
});

test("each event is told to whom it is for", () => {
  opened[0].say("spot", { spot: 80_000 });

  assert.deepEqual(told, [80_000]);
});

test("a server that says nothing for long is lost, and asked again", () => {
  mock.timers.tick(40_000);
  const heard = [...told];
  mock.timers.tick(3_000);

  assert.deepEqual(heard, ["lost"]);
  assert.equal(opened.length, 2);
  assert.equal(opened[0].readyState, Source.CLOSED);
});

test("a server with nothing to tell is heard by its beat", () => {
  for (let times = 0; times < 10; times += 1) {
    mock.timers.tick(15_000);
    opened[0].say("beat");
  }

  assert.deepEqual(told, []);
  assert.equal(opened.length, 1);
});

test("what the browser itself opens again is left to it, what it gives up is asked again", () => {
  opened[0].fail(0);
  mock.timers.tick(3_000);
  const left = opened.length;
  opened[0].fail(Source.CLOSED);
  mock.timers.tick(3_000);

  assert.deepEqual([left, opened.length, told], [1, 2, ["lost", "lost"]]);
});

test("one that was given up is not asked again once more when its silence would end", () => {
  opened[0].fail(Source.CLOSED);
  mock.timers.tick(3_000);
  opened[1].say("beat");
  mock.timers.tick(38_000);

  assert.equal(opened.length, 2);
});
