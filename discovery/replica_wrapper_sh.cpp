#include "discovery/replica_wrapper_sh.h"

#include <fmt/core.h>

#include "discovery/replica_plan.h"
#include "discovery/serve_template.h"

namespace weir {
namespace {

// What follows the values. Plain POSIX sh, setsid, grep, od; no bash.
constexpr std::string_view kScript = R"sh(
say() { printf '\n%s\n' "$1"; }
fail() { say "weir-replica problem $1"; exit 125; }
share() {
  old_ifs=$IFS; IFS=,; set -f; set -- $1; set +f; IFS=$old_ifs
  [ $# -ge $((first_gpu + gpus)) ] || return 1
  shift "$first_gpu"
  list=; taken=0
  while [ "$taken" -lt "$gpus" ]; do
    list=$list${list:+,}$1; shift; taken=$((taken + 1))
  done
}
take() {
  eval "value=\${$1-}"
  [ -n "$value" ] || return 0
  share "$value" ||
    fail "this step sees too few GPUs: it needs $gpus from entry $first_gpu of $1=$value"
  eval "$1=\$list; export $1"
  gpu=${gpu:-$list}
}
gpu=
if [ "$gpus" -gt 0 ]; then
  for name in CUDA_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES GPU_DEVICE_ORDINAL ZE_AFFINITY_MASK; do
    take "$name"
  done
  [ -n "$gpu" ] || fail "no GPU is visible here: CUDA_VISIBLE_DEVICES is not set"
fi
number() { n=$(od -An -N2 -tu2 /dev/urandom 2>/dev/null | tr -d ' \n'); echo "${n:-$$}"; }
is_taken() {
  grep -q "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") " /proc/net/tcp /proc/net/tcp6 2>/dev/null
}
low=61001
read -r from to < /proc/sys/net/ipv4/ip_local_port_range || to=60999
if [ "${to:-60999}" -ge 61001 ]; then low=33000; [ "${from:-32768}" -lt 37000 ] && low=10000; fi
port=; tries=0
while [ "$tries" -lt 200 ]; do
  candidate=$((low + $(number) % 62 * 64 + replica % 64))
  if ! is_taken "$candidate"; then port=$candidate; break; fi
  tries=$((tries + 1))
done
[ -n "$port" ] || fail "no free port from $low on"
address=
if [ -n "${SLURM_LAUNCH_NODE_IPADDR-}" ]; then
  address=$(ip -4 -o route get "$SLURM_LAUNCH_NODE_IPADDR" 2>/dev/null |
    sed -n 's/.* src \([0-9.]*\).*/\1/p')
fi
case $address in ''|127.*)
  for a in $(hostname -I 2>/dev/null); do
    case $a in 127.*|169.254.*|*:*) ;; *) address=$a; break;; esac
  done;;
esac
step=-
[ -n "${SLURM_STEP_ID-}" ] && step=$SLURM_JOB_ID.$SLURM_STEP_ID
printf 'weir-replica v1 host=%s addr=%s port=%s gpus=%s step=%s\n' \
  "$(uname -n)" "${address:--}" "$port" "${gpu:--}" "$step"
host=${address:-0.0.0.0}
gpu=${gpu:-$local_index}
api_key=${VLLM_API_KEY-}
WEIR_HOST=$host WEIR_PORT=$port WEIR_GPU=$gpu
WEIR_REPLICA=$replica WEIR_NODE=$node WEIR_REPLICA_ID=$id
VLLM_PORT=$((20000 + (${SLURM_JOB_ID:-0} * 7 + replica) % 240 * 50))
PYTHONUNBUFFERED=1
export WEIR_HOST WEIR_PORT WEIR_GPU WEIR_REPLICA WEIR_NODE WEIR_REPLICA_ID
export VLLM_PORT PYTHONUNBUFFERED
unset WEIR_REPLICA_SH
exec 3<&0
if command -v setsid >/dev/null 2>&1; then
  setsid /bin/sh -c "$(command_line)" </dev/null 3<&- &
else
  /bin/sh -c "$(command_line)" </dev/null 3<&- &
fi
pid=$!
group() { kill "-$1" "-$pid" 2>/dev/null || kill "-$1" "$pid" 2>/dev/null; }
stopping=
stop() {
  [ -z "$stopping" ] || return 0
  stopping=1
  group TERM
  # In small steps: a sleep that outlives us is not to hold the step.
  ( waited=0
    while [ "$waited" -lt "$grace" ]; do sleep 1; waited=$((waited + 1)); done
    group KILL ) >/dev/null 2>&1 </dev/null 3<&- &
  killer=$!
}
killer=
trap 'say "weir-replica terminated"; stop' TERM INT HUP
trap stop USR1
( while read -r _; do :; done; kill -USR1 $$ ) <&3 >/dev/null 2>&1 &
watcher=$!
exec 3<&-
while :; do
  wait "$pid"; code=$?
  kill -0 "$pid" 2>/dev/null || break
done
rounds=0
while [ -n "$stopping" ] && [ "$rounds" -lt "$((grace * 5))" ] && kill -0 "-$pid" 2>/dev/null; do
  sleep 0.2 2>/dev/null || sleep 1
  rounds=$((rounds + 1))
done
kill -KILL "-$pid" 2>/dev/null
kill "$watcher" 2>/dev/null
[ -z "$killer" ] || kill "$killer" 2>/dev/null
say "weir-replica end $code"
exit "$code"
)sh";

// 'vllm serve --port '"$port"' --host ...': what the shell of the node puts together.
std::string command_expression(std::string_view serve) {
  std::string expression;
  for (const ServePart& part : split_serve(serve)) {
    expression += part.is_placeholder ? "\"$" + part.text + "\"" : shell_quoted({part.text});
  }
  return expression.empty() ? "''" : expression;
}

}  // namespace

std::string replica_wrapper_script(const ReplicaWrapperOptions& options) {
  std::string script =
      fmt::format("id={} node={} replica={} local_index={} first_gpu={} gpus={} grace={}\n",
                  shell_quoted({options.id}), shell_quoted({options.node}), options.index,
                  options.local_index, options.first_gpu, options.gpus, options.grace_seconds);
  script +=
      fmt::format("command_line() {{ printf '%s' {}; }}\n", command_expression(options.serve));
  script += kScript;
  return script;
}

std::vector<std::string> replica_wrapper_command(const std::string& weir_path,
                                                 const ReplicaWrapperOptions& options) {
  std::vector<std::string> argv{
      "/bin/sh", "-c",
      fmt::format("\"$0\" {0} --try >/dev/null 2>&1 </dev/null && exec \"$0\" {0} \"$@\"; "
                  "eval \"$WEIR_REPLICA_SH\"",
                  kReplicaWrapperCommand),
      weir_path};
  const std::vector<std::string> arguments = replica_wrapper_arguments(options);
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

}  // namespace weir
