import assert from "node:assert/strict";
import { HeldPackets } from "../../../../lib/capture/held_packets.ts";

const START = 4096;
const HEADER = 32;

/** A cursor over one packet at a time, with 1 KiB to hold packets behind. */
class Cursor {
  readonly bytes = new Uint8Array(START + 1024);
  at = 0;
  capturedLength = 0;
  seconds = 100;

  get networkAt(): number {
    return this.at + HEADER;
  }

  /** Puts a packet at the beginning. */
  see(text: string): void {
    this.at = 0;
    this.bytes.fill(0, 0, START);
    this.capturedLength = text.length;
    this.bytes.set(new TextEncoder().encode(text), HEADER);
  }

  /** The current packet, as long as the last one seen. */
  get text(): string {
    const end = this.networkAt + this.capturedLength;
    return new TextDecoder().decode(this.bytes.subarray(this.networkAt, end));
  }
}

function released(cursor: Cursor, held: HeldPackets, key: number): string[] {
  const texts: string[] = [];
  for (const _ of held.release(key)) texts.push(cursor.text);
  return texts;
}

Deno.test("HeldPackets gives the packets of a number back in order", () => {
  const cursor = new Cursor();
  const held = new HeldPackets(cursor, START, 1024);
  assert.ok(held.isEmpty);
  for (const [text, key] of [["a1", 1], ["b1", 2], ["a2", 1]] as const) {
    cursor.see(text);
    held.hold(key);
  }
  cursor.see("..");
  assert.deepEqual(released(cursor, held, 1), ["a1", "a2"]);
  assert.deepEqual(released(cursor, held, 1), []);
  assert.deepEqual(released(cursor, held, 2), ["b1"]);
  assert.ok(held.isEmpty);
});

Deno.test("HeldPackets gives up the oldest packets when memory is short", () => {
  const cursor = new Cursor();
  const held = new HeldPackets(cursor, START, 1024);
  const texts = Array.from({ length: 7 }, (_, i) => `${i}`.repeat(200));
  for (const text of texts) {
    cursor.see(text);
    held.hold(1);
  }
  // Four of 240 bytes fit.
  assert.deepEqual(released(cursor, held, 1), texts.slice(-4));
  cursor.see("x".repeat(1000));
  held.hold(1);
  assert.ok(held.isEmpty, "what does not fit at all is not held");
});

Deno.test("HeldPackets forgets packets after two seconds", () => {
  const cursor = new Cursor();
  const held = new HeldPackets(cursor, START, 1024);
  cursor.see("old");
  held.hold(1);
  cursor.seconds += 2;
  cursor.see("new");
  held.hold(1);
  cursor.seconds += 1;
  assert.deepEqual(released(cursor, held, 1), ["new"]);
});

Deno.test("HeldPackets.retry() gives up what can be judged and what is old", () => {
  const cursor = new Cursor();
  const held = new HeldPackets(cursor, START, 1024);
  for (const [text, key] of [["a1", 1], ["b1", 2], ["a2", 1]] as const) {
    cursor.see(text);
    held.hold(key);
  }
  const seen: string[] = [];
  held.retry(cursor.seconds, () => {
    seen.push(cursor.text);
    // Whoever takes it may release the others of its number: none is there.
    assert.ok(!held.has(cursor.text.startsWith("a") ? 1 : 2));
    return cursor.text.startsWith("b");
  });
  assert.deepEqual(seen, ["a1", "a2", "b1"]);
  assert.ok(held.has(1));
  assert.ok(!held.has(2));
  held.retry(cursor.seconds + 4, () => assert.fail("they are too old"));
  assert.ok(held.isEmpty);
});

Deno.test("HeldPackets keeps the newest packets, however many come", () => {
  const cursor = new Cursor();
  const held = new HeldPackets(cursor, START, 1024);
  for (let i = 0; i < 5000; i++) {
    cursor.see(`${i}`.padStart(200 + i % 90));
    held.hold(i);
    assert.ok(held.has(i));
    assert.ok(!held.has(i - 5), "no room for so many");
  }
});
