/**
 * libpcap as judge of filters: the compiler and the filter that tcpdump uses,
 * called directly because a process for each expression takes too long.
 *
 * @module
 */

/** A sample packet. */
interface Packet {
  readonly bytes: Uint8Array;
  /** Bytes on the wire. */
  readonly length: number;
  readonly second: number;
}

/** What libpcap makes of an expression. */
export interface Verdict {
  /** Numbers of the packets that match; none when it is refused. */
  readonly packets: readonly number[] | undefined;
  /** Instructions of the optimized program; 0 when it would match nothing. */
  readonly length: number;
}

/** Bytes of `char errbuf[PCAP_ERRBUF_SIZE]`. */
const ERROR_LENGTH = 256;
/** `struct bpf_program`: length (u32, 4 bytes of padding), pointer. */
const PROGRAM_LENGTH = 16;
/** `struct pcap_pkthdr`: struct timeval (16 bytes), caplen, len. */
const HEADER_LENGTH = 24;
const CAPLEN_OFFSET = 16;
const LEN_OFFSET = 20;

const SYMBOLS = {
  // pcap_t *pcap_open_offline(const char *fname, char *errbuf)
  pcap_open_offline: { parameters: ["buffer", "buffer"], result: "pointer" },
  // int pcap_compile(pcap_t *p, struct bpf_program *fp, const char *str,
  //                  int optimize, bpf_u_int32 netmask)
  pcap_compile: {
    parameters: ["pointer", "buffer", "buffer", "i32", "u32"],
    result: "i32",
  },
  // int pcap_offline_filter(const struct bpf_program *fp,
  //                         const struct pcap_pkthdr *h, const u_char *pkt)
  pcap_offline_filter: {
    parameters: ["buffer", "buffer", "buffer"],
    result: "i32",
  },
  // char *pcap_geterr(pcap_t *p)
  pcap_geterr: { parameters: ["pointer"], result: "pointer" },
  // void pcap_freecode(struct bpf_program *fp)
  pcap_freecode: { parameters: ["buffer"], result: "void" },
  // void pcap_close(pcap_t *p)
  pcap_close: { parameters: ["pointer"], result: "void" },
} as const satisfies Deno.ForeignLibraryInterface;

function open(): Deno.DynamicLibrary<typeof SYMBOLS> | undefined {
  for (const name of ["libpcap.so.0.8", "libpcap.so.1"]) {
    try {
      return Deno.dlopen(name, SYMBOLS);
    } catch {
      // Debian and the rest of the world disagree on the name.
    }
  }
  return undefined;
}

/** The library, if it is installed. */
export const LIBPCAP = open();

/** Compiles each expression for a capture file and filters its packets. */
export function judgeWithLibpcap(
  path: string,
  expressions: readonly string[],
  packets: readonly Packet[],
): Verdict[] {
  const { symbols } = LIBPCAP!;
  const file = symbols.pcap_open_offline(
    cString(path),
    new Uint8Array(ERROR_LENGTH),
  );
  if (file === null) throw new Error(`Cannot open ${path} with libpcap`);
  try {
    return expressions.map((text) => judge(file, text, packets));
  } finally {
    symbols.pcap_close(file);
  }
}

function judge(
  file: Deno.PointerObject,
  text: string,
  packets: readonly Packet[],
): Verdict {
  const { symbols } = LIBPCAP!;
  const program = new Uint8Array(PROGRAM_LENGTH);
  if (symbols.pcap_compile(file, program, cString(text), 1, 0) !== 0) {
    const error = new Deno.UnsafePointerView(symbols.pcap_geterr(file)!)
      .getCString();
    return {
      packets: error.includes("rejects all packets") ? [] : undefined,
      length: 0,
    };
  }
  const matching = packets.filter(({ bytes, length }) => {
    const header = new Uint8Array(HEADER_LENGTH);
    const view = new DataView(header.buffer);
    view.setUint32(CAPLEN_OFFSET, bytes.length, true);
    view.setUint32(LEN_OFFSET, length, true);
    const copy = new Uint8Array(bytes);
    return symbols.pcap_offline_filter(program, header, copy) !== 0;
  });
  const length = new DataView(program.buffer).getUint32(0, true);
  symbols.pcap_freecode(program);
  return { packets: matching.map(({ second }) => second), length };
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
