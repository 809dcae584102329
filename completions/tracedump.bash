# Generated from the option tables; edit those instead.
_tracedump_capture() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ ${COMP_WORDS[i]} == -- ]]; then
      if declare -F _command_offset >/dev/null; then
        _command_offset $((i + 1))
      elif ((COMP_CWORD == i + 1)); then
        mapfile -t COMPREPLY < <(compgen -c -- "$cur")
      else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      fi
      return
    fi
  done
  case $prev in
    -o | -w | --output | -F | --filter-file)
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
    -s | --snaplen | --format | --comments | -C | --rotate-size | -G | --rotate-seconds | -W | --files | -f | --filter | -B | --buffer-size | --color | --tracker | --kernel-filter | --max-size | --min-free | -c | --count | --duration | --linger | --debug)
      return
      ;;
    -i | --interface)
      mapfile -t COMPREPLY < <(compgen -W "$(command ls /sys/class/net 2>/dev/null)" -- "$cur")
      return
      ;;
    -u | --user)
      mapfile -t COMPREPLY < <(compgen -u -- "$cur")
      return
      ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "-o -w --output -s --snaplen --nano --format --comments --process-blocks --tls-keys -C --rotate-size -G --rotate-seconds -W --files -U --packet-buffered -i --interface -f --filter -F --filter-file -d --dump-program --no-follow --icmp -u --user -B --buffer-size --print -e --link-header -t --time -A --ascii -x --hex -X --hex-ascii -S --absolute-sequence -# --number --color --tracker --kernel-filter --max-size --min-free -c --count --duration --linger -q --quiet --debug -V --verbose -v --version -h --help --" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && command ls -d [0-9]*)" -- "$cur")
    if ((COMP_CWORD == 1)); then
      mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "read connect life accept retrans states top" -- "$cur")
    fi
  fi
}

_tracedump_read() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i
  COMPREPLY=()
  case $prev in
    -f | --filter | -c | --limit | --format | --color)
      return
      ;;
    -F | --filter-file | -o | -w | --output)
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "-f --filter -F --filter-file -d --dump-program -c --limit --count -o -w --output --format --json -e --link-header -t --time -A --ascii -x --hex -X --hex-ascii -S --absolute-sequence -# --number --color -n --numeric -q --quick -v --verbose --nano -h --help --" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}

_tracedump_connect() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i
  COMPREPLY=()
  case $prev in
    -p | --pid | --pid-tree)
      mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && command ls -d [0-9]*)" -- "$cur")
      return
      ;;
    --cgroup)
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
    -u | --uid | -P | --port | -n | --rows | --duration)
      return
      ;;
    --user)
      mapfile -t COMPREPLY < <(compgen -u -- "$cur")
      return
      ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "-p --pid --pid-tree --cgroup -4 --ipv4 -6 --ipv6 -u --uid -P --port --udp -T --time -t --timestamp -U --print-uid -L --lport -d --dns -c --count -w --wide -s --csv --json -n --rows --duration --user -q --quiet --debug -h --help --" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && command ls -d [0-9]*)" -- "$cur")
  fi
}

_tracedump_life() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i
  COMPREPLY=()
  case $prev in
    -p | --pid | --pid-tree)
      mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && command ls -d [0-9]*)" -- "$cur")
      return
      ;;
    --cgroup)
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
    -L | --localport | -D | --remoteport | --columns | -n | --rows | --duration)
      return
      ;;
    --user)
      mapfile -t COMPREPLY < <(compgen -u -- "$cur")
      return
      ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "-p --pid --pid-tree --cgroup -4 --ipv4 -6 --ipv6 -L --localport -D --remoteport --open-before --still-open -T --time -t --timestamp -w --wide -s --csv --json --bytes --columns --summary -n --rows --duration --user -q --quiet --debug -h --help --" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && command ls -d [0-9]*)" -- "$cur")
  fi
}

_tracedump_accept() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i
  COMPREPLY=()
  case $prev in
    -p | --pid | --pid-tree)
      mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && command ls -d [0-9]*)" -- "$cur")
      return
      ;;
    --cgroup)
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
    -P | --port | -n | --rows | --duration)
      return
      ;;
    --user)
      mapfile -t COMPREPLY < <(compgen -u -- "$cur")
      return
      ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "-p --pid --pid-tree --cgroup -4 --ipv4 -6 --ipv6 -P --port -T --time -t --timestamp -w --wide -s --csv --json -n --rows --duration --user -q --quiet --debug -h --help --" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && command ls -d [0-9]*)" -- "$cur")
  fi
}

_tracedump_retrans() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i
  COMPREPLY=()
  case $prev in
    -p | --pid | --pid-tree)
      mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && command ls -d [0-9]*)" -- "$cur")
      return
      ;;
    --cgroup)
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
    -n | --rows | --duration)
      return
      ;;
    --user)
      mapfile -t COMPREPLY < <(compgen -u -- "$cur")
      return
      ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "-p --pid --pid-tree --cgroup -4 --ipv4 -6 --ipv6 -l --lossprobe -s --sequence -c --count -w --wide --csv --json -n --rows --duration --user -q --quiet --debug -h --help --" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && command ls -d [0-9]*)" -- "$cur")
  fi
}

_tracedump_states() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i
  COMPREPLY=()
  case $prev in
    -p | --pid | --pid-tree)
      mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && command ls -d [0-9]*)" -- "$cur")
      return
      ;;
    --cgroup)
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
    -L | --localport | -D | --remoteport | -n | --rows | --duration)
      return
      ;;
    --user)
      mapfile -t COMPREPLY < <(compgen -u -- "$cur")
      return
      ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "-p --pid --pid-tree --cgroup -4 --ipv4 -6 --ipv6 -L --localport -D --remoteport -T --time -t --timestamp -w --wide -s --csv --json -n --rows --duration --user -q --quiet --debug -h --help --" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && command ls -d [0-9]*)" -- "$cur")
  fi
}

_tracedump_top() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i
  COMPREPLY=()
  case $prev in
    -p | --pid | --pid-tree)
      mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && command ls -d [0-9]*)" -- "$cur")
      return
      ;;
    --cgroup)
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
    -n | --rows | --duration)
      return
      ;;
    --user)
      mapfile -t COMPREPLY < <(compgen -u -- "$cur")
      return
      ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "-p --pid --pid-tree --cgroup -4 --ipv4 -6 --ipv6 -C --noclear -S --nosummary -w --wide -s --csv --json -n --rows --duration --user -q --quiet --debug -h --help --" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && command ls -d [0-9]*)" -- "$cur")
  fi
}

_tracedump() {
  if ((COMP_CWORD > 1)); then
    case ${COMP_WORDS[1]} in
      read)
        _tracedump_read
        return
        ;;
      connect)
        _tracedump_connect
        return
        ;;
      life)
        _tracedump_life
        return
        ;;
      accept)
        _tracedump_accept
        return
        ;;
      retrans)
        _tracedump_retrans
        return
        ;;
      states)
        _tracedump_states
        return
        ;;
      top)
        _tracedump_top
        return
        ;;
    esac
  fi
  _tracedump_capture
}
complete -F _tracedump tracedump
