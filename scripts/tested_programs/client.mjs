// deno-lint-ignore-file explicit-function-return-type -- plain JavaScript
// Fetches pages, four at a time, until it is told to stop.
//   client.mjs URL COUNT    (a count of 0: no other limit)
const [url, limit] = process.argv.slice(2);
const count = Number(limit) || Infinity;
let errors = 0;

async function fetchText(path) {
  return await (await fetch(url + path)).text();
}

async function work() {
  for (let round = 0; round < count; round++) {
    if (await fetchText("/next") === "stop") return;
    if (await fetchText("/index.html") !== "x".repeat(3000)) errors++;
  }
}

await Promise.all([work(), work(), work(), work()]);
process.stdout.write(`errors: ${errors}\n`);
process.exit(0);
