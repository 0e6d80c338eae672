#!/usr/bin/env bash
# tests/real_vllm.sh WEIR: two real vLLM servers behind `weir launch` in a real Slurm job (tests/load/real_vllm.py). Not part
# of CI: the environment takes minutes and gigabytes. Needs slurm-wlm, munge, and
#   SDK_PYTHON   an interpreter with the `openai` package (./dev test-clients leaves build/clients/venv/bin/python)
#   VLLM_RUN     a script that serves a tiny model named "tiny" on the CPU: VLLM_RUN PORT [options of vllm serve]
set -euo pipefail
cd "$(dirname "$0")/.."
export WEIR_BINARY=$(realpath "${1:?usage: tests/real_vllm.sh WEIR}")
export SDK_PYTHON=${SDK_PYTHON:-$PWD/build/clients/venv/bin/python}
run=$(realpath "${VLLM_RUN:-../shared/vllm-real/run_vllm.sh}")
export VLLM_REAL_DIR=${VLLM_REAL_DIR:-$PWD/build/vllm}
[ -x "$SDK_PYTHON" ] || { echo "real_vllm: error: no $SDK_PYTHON; help: ./dev test-clients, or set SDK_PYTHON" >&2; exit 2; }
"$run" prepare
export VLLM_SERVE="VLLM_REAL_DIR=$VLLM_REAL_DIR exec $run {port} --host {host}"
exec tests/integration/own_network.sh python3 -B tests/load/real_vllm.py
