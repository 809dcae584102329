/**
 * The command `tracedump connect`: attempts to connect, of every process.
 *
 * @module
 */
import type { Command } from "../command.ts";
import type { OptionTable } from "../options.ts";
import { UsageError } from "../usage_error.ts";
import { connectColumns } from "../views/connect_columns.ts";
import { ConnectCounter } from "../views/connect_counter.ts";
import { rowPrinter } from "../views/printer.ts";
import { viewCommand } from "../views/view_command.ts";
import {
  END_OPTIONS,
  FORMAT_OPTIONS,
  portList,
  SCOPE_OPTIONS,
  TIME_OPTIONS,
  UID_OPTION,
} from "../views/view_options.ts";

const CONNECT_OPTIONS = {
  ...SCOPE_OPTIONS,
  ...UID_OPTION,
  port: {
    kind: "value",
    long: "port",
    short: "P",
    section: "Which connections",
    metavar: "PORTS",
    parse: portList,
    help: "only to these remote ports: `80,443`",
  },
  udp: {
    kind: "flag",
    long: "udp",
    section: "Which connections",
    help: "also UDP: connected sockets, first datagrams of others",
    detail: "The first datagram that a socket sends to each destination is " +
      "a row; the kernel remembers the last 16,384 destinations.",
  },
  ...TIME_OPTIONS,
  printUid: {
    kind: "flag",
    long: "print-uid",
    short: "U",
    section: "Output",
    help: "show the user",
  },
  localPort: {
    kind: "flag",
    long: "lport",
    short: "L",
    section: "Output",
    help: "taken for the sake of tcpconnect: SPORT is always shown",
  },
  dns: {
    kind: "flag",
    long: "dns",
    short: "d",
    section: "Output",
    help: "show the name that DNS was asked for",
    detail: "Answers from port 53 by UDP that come while the view is running " +
      "are looked at, which needs CAP_NET_RAW; names that were asked for " +
      "earlier, from a cache, or by TCP, TLS or HTTPS are not known.",
  },
  count: {
    kind: "flag",
    long: "count",
    short: "c",
    section: "Output",
    help: "only count attempts by source and destination, until the end",
  },
  ...FORMAT_OPTIONS,
  ...END_OPTIONS,
} as const satisfies OptionTable;

/** The command. */
export const CONNECT_COMMAND: Command = viewCommand({
  name: "connect",
  options: CONNECT_OPTIONS,
  summary: "show who connects where, and with what result",
  description:
    "Shows every attempt of this machine's processes to open a TCP " +
    "connection, also those that fail at once, with result and latency.",
  details: [
    "A row is printed when the outcome is known: RESULT is `ok`, or the " +
    "error that the program gets, such as ECONNREFUSED, ETIMEDOUT or " +
    "ENETUNREACH; `closed` when the program gave up; attempts without an " +
    "outcome are shown as `pending` at the end. TIME is when connect(2) " +
    "was called, and LAT(ms) how long the answer took.",
    "Options are those of tcpconnect where both have them.",
  ],
  examples: [
    {
      command: "tracedump connect",
      text: "all attempts of the machine, until Ctrl-C",
    },
    {
      command: "tracedump connect -P 443 -t --duration 1m",
      text: "HTTPS for a minute, with seconds",
    },
    {
      command: "tracedump connect --csv -- ./deploy.sh > connects.csv",
      text: "what a script connects to, for a spreadsheet",
    },
  ],
  plan: (given, { scope, filter }) => {
    const { uid, port, udp, dns } = given;
    if (dns && given.count) {
      throw new UsageError("Cannot combine --dns and --count");
    }
    const wanted = {
      ...filter,
      ...uid === undefined ? {} : { uid },
      ...port === undefined ? {} : { remotePorts: port },
    };
    return {
      open: (engine) =>
        engine.watchConnections({ scope, filter: wanted, udp, dns }),
      printer: given.count ? new ConnectCounter(given) : rowPrinter(
        connectColumns({ ...given, uid: given.printUid }),
        given,
      ),
    };
  },
});
