// deno-lint-ignore-file explicit-function-return-type -- plain JavaScript
// Fetches a page in the ways that Node programs do.
//   http_client.mjs URL UDP_HOST:PORT
import { createSocket } from "node:dgram";
import { Agent, get } from "node:http";
import { once } from "node:events";
import { connect } from "node:net";

const [url, udp] = process.argv.slice(2);
const { hostname, port } = new URL(url);

async function viaHttp(agent) {
  const [answer] = await once(get(url, { agent }), "response");
  if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}`);
  for await (const _ of answer);
}

async function viaNet() {
  const socket = connect(Number(port), hostname);
  socket.end("GET / HTTP/1.0\r\n\r\n");
  for await (const _ of socket);
}

async function viaUdp() {
  const [host, port] = udp.split(":");
  const socket = createSocket("udp4");
  socket.send("from node", Number(port), host);
  await once(socket, "message");
  socket.close();
}

await (await fetch(url)).text();
const agent = new Agent({ keepAlive: true, maxSockets: 2 });
await Promise.all([1, 2, 3, 4, 5, 6].map(() => viaHttp(agent)));
await Promise.all([viaNet(), viaNet(), viaUdp(), viaUdp()]);
agent.destroy();
process.exit(0);
