#!/usr/bin/env bash
# Loss by learning rate at four widths, under muP and the standard parametrization, on the sample corpora. Under muP the best learning
# rate should be the same at every width. About five minutes on two idle cores.
# usage: Benchmarks/mup.sh [FOLDER]     (FOLDER keeps the runs, and a second call resumes them; WEIR names another binary)
#   WIDTHS, RATES, SEEDS (lists) and TOKENS change the sweep; rates are multiples of 10⁻³, losses are means over the seeds.
set -euo pipefail
cd "$(dirname "$0")/.."
weir=$PWD/${WEIR:-.build/release/weir}
case ${WEIR:-} in /*) weir=$WEIR ;; esac
[ -x "$weir" ] || { echo "mup: $weir does not exist; run make build" >&2; exit 1; }
work=${1:-$(mktemp -d)}
[ $# -gt 0 ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
read -ra widths <<<"${WIDTHS:-32 64 128 256}"
read -ra rates <<<"${RATES:-2 4 8 16 32 64}"
read -ra seeds <<<"${SEEDS:-1}"
export weir work TOKENS=${TOKENS:-100k} BASE=${widths[0]}
# A small vocabulary, so that the layers are most of the model at every width.
if [ ! -e "$work/dataset" ]; then
  "$weir" tokenizer train corpora/sample --vocabulary 1024 -o "$work/tokenizer" --quiet
  "$weir" tokenize corpora/sample --tokenizer "$work/tokenizer" --shards "$work/dataset" --quiet
fi

one() {
  "$weir" train "$work/dataset" --width "$2" --layers 2 --sequence 128 --batch-size 4 --tokens "$TOKENS" --lr "${3}e-3" --weight-decay 0 \
    --parametrization "$1" --base-width "$BASE" --checkpoint-every 0 --seed "$4" --threads 1 --quiet -o "$work/$1-$2-$3-$4" \
    >"$work/$1-$2-$3-$4.out" 2>&1 || true
}
export -f one
for kind in mup standard; do
  # Widest first, so that no core is idle for long at the end.
  for width in $(printf '%s\n' "${widths[@]}" | sort -rn); do for rate in "${rates[@]}"; do
    for seed in "${seeds[@]}"; do echo "$kind $width $rate $seed"; done
  done; done
done | xargs -P "$(getconf _NPROCESSORS_ONLN)" -L 1 bash -c 'one "$@"' one

for kind in mup standard; do
  printf '\n%s: mean loss over the last tenth of %s tokens, seeds %s (* = lowest)\n%8s' "$kind" "$TOKENS" "${seeds[*]}" width
  for rate in "${rates[@]}"; do printf '%9s' "${rate}e-3"; done
  echo
  for width in "${widths[@]}"; do
    for rate in "${rates[@]}"; do
      for seed in "${seeds[@]}"; do
        # A run that gave up has no report.
        { sed -n 's/^  "loss" : \([0-9.]*\),$/\1/p' "$work/$kind-$width-$rate-$seed/report.json" 2>/dev/null || true; } | grep . || echo x
      done | awk '{ if ($1 == "x") bad = 1; sum += $1 } END { print bad ? "x" : sum / NR }'
    done | awk -v width="$width" '
      { loss[NR] = $1; if ($1 != "x" && (best == "" || $1 < loss[best])) best = NR }
      END { printf "%8d", width
            for (i = 1; i <= NR; i++) printf (loss[i] == "x" ? "%8s" : "%8.3f") "%s", loss[i], (i == best ? "*" : " ")
            print "" }'
  done
done
