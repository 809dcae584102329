/**
 * Numbers of the kernel's helper functions that programs here may call.
 *
 * Source: `enum bpf_func_id` in `include/uapi/linux/bpf.h`. The comment says
 * the first kernel where that is later than 5.8.
 *
 * @module
 */

/** Helper name (without `bpf_`) → number. */
export const HELPERS = {
  map_lookup_elem: 1,
  map_update_elem: 2,
  map_delete_elem: 3,
  probe_read: 4,
  ktime_get_ns: 5,
  trace_printk: 6,
  get_prandom_u32: 7,
  get_smp_processor_id: 8,
  get_current_pid_tgid: 14,
  get_current_uid_gid: 15,
  get_current_comm: 16,
  perf_event_output: 25,
  skb_load_bytes: 26,
  get_current_task: 35,
  get_socket_cookie: 46,
  get_socket_uid: 47,
  sock_ops_cb_flags_set: 59,
  skb_load_bytes_relative: 68,
  get_current_cgroup_id: 80,
  get_local_storage: 81,
  sk_fullsock: 95,
  tcp_sock: 96,
  get_listener_sock: 98,
  sk_storage_get: 107,
  sk_storage_delete: 108,
  probe_read_user: 112,
  probe_read_kernel: 113,
  get_ns_current_pid_tgid: 120,
  get_netns_cookie: 122,
  ktime_get_boot_ns: 125,
  seq_write: 127,
  ringbuf_output: 130,
  ringbuf_reserve: 131,
  ringbuf_submit: 132,
  ringbuf_discard: 133,
  ringbuf_query: 134,
  skc_to_tcp6_sock: 136, // 5.9
  skc_to_tcp_sock: 137, // 5.9
  skc_to_tcp_timewait_sock: 138, // 5.9
  skc_to_tcp_request_sock: 139, // 5.9
  skc_to_udp6_sock: 140, // 5.9
  get_current_task_btf: 158, // 5.11
  sock_from_file: 162, // 5.11
  ktime_get_tai_ns: 208, // 6.1
} as const;

/** A helper's name without `bpf_`. */
export type Helper = keyof typeof HELPERS;

const NAMES: ReadonlyMap<number, Helper> = new Map(
  (Object.keys(HELPERS) as Helper[]).map((name) => [HELPERS[name], name]),
);

/** Returns the helper's name (without `bpf_`), if it is one of the table. */
export function helperName(id: number): Helper | undefined {
  return NAMES.get(id);
}
