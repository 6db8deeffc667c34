import Foundation
import Testing

/// Two processes and one output.
@Suite(.serialized) struct OutputLockTests {
  /// A shell function that waits until a file has content.
  private static let tools = """
    wait_for() { for i in {1..400}; do [ -s "$1" ] && return; sleep 0.02; done; echo "no $1" >&2; }

    """

  private func inLockedFolder(_ body: (Binary, (String) throws -> Binary.Result) throws -> Void) throws {
    try inFolder { binary in
      try binary.useMade()
      try body(binary) { try binary.shell(Self.tools + $0) }
    }
  }

  @Test func twoRunsInOneFolder() throws {
    let train = "train set --width 32 --layers 1 --sequence 32 --batch 2 --threads 1 --valid docs.jsonl"
    try inLockedFolder { binary, shell in
      let result = try shell(
        """
        weir \(train) --tokens 40k -o both --quiet & wait_for both/.lock
        weir \(train) --tokens 40k -o both; echo "second $?"
        wait %1; echo "first $?"; weir \(train) --tokens 40k -o alone --quiet
        """)
      #expect(result.text == "second 1\nfirst 0\n", "\(result.errors)")
      #expect(result.errors.contains("weir: both: another process is writing to it (pid "))
      #expect(result.errors.contains(": `weir train set --width 32"))
      #expect(binary.read("both/model/model.safetensors") == binary.read("alone/model/model.safetensors"))
      #expect(binary.read("both/evaluations.jsonl") == binary.read("alone/evaluations.jsonl"))
      #expect(binary.read("both/.lock") == nil)
    }
  }

  @Test func aKilledProcessHoldsNothing() throws {
    let train = "train set --width 32 --layers 1 --sequence 32 --batch 2 --threads 1 --tokens 40k -o killed --quiet"
    try inLockedFolder { binary, shell in
      let result = try shell(
        """
        weir \(train) & wait_for killed/log.jsonl
        kill -9 $(sed 's/.*"pid":\\([0-9]*\\).*/\\1/' killed/.lock); wait %1 2>/dev/null; [ -e killed/.lock ] && echo left
        weir verify killed --quiet; echo $?
        weir \(train); echo $?; [ -e killed/.lock ] || echo removed
        """)
      #expect(result.text == "left\n0\n0\nremoved\n", "\(result.errors)")
    }
  }

  @Test func twoWritersOfOneOutput() throws {
    try inLockedFolder { binary, shell in
      // The first process of each pair waits for its input.
      for (command, output) in [
        ("read - -o out.jsonl", "out.jsonl"), ("dedup - --fuzzy -o out.jsonl.zst", "out.jsonl.zst"),
        ("tokenize - --tokenizer tok --shards out-set", "out-set"), ("tokenize - --tokenizer tok -o out.tokens", "out.tokens"),
        ("tokenizer train - --vocabulary 300 -o out-tok", "out-tok"),
      ] {
        let result = try shell(
          """
          (wait_for go; cat docs.jsonl) | weir \(command) --quiet & wait_for .\(output).lock
          weir \(command) < docs.jsonl; echo "second $?"
          echo > go; wait %1; echo "first $?"; rm go
          """)
        #expect(result.text == "second 1\nfirst 0\n", "\(command): \(result.errors)")
        #expect(result.errors.contains("weir: \(output): another process is writing to it (pid "), "\(command): \(result.errors)")
        #expect(binary.names.contains(output) && !binary.names.contains(".\(output).lock"))
      }
    }
  }

  @Test func computedFoldersAreHeldFromTheStart() throws {
    try inLockedFolder { binary, shell in
      // A lock as another process would hold it.
      for (command, lock) in [
        ("cluster fit set -o tree --arity 2 --depth 2 --minimum-leaf 4", ".tree.lock"),
        ("cluster assign set --tree tree", "set/clusters/.tree.lock"), ("embed set --dimensions 8", "set/vectors/.lsi.lock"),
        ("embed other-set --dimensions 8", "other-set/vectors/.lsi.lock"),
        ("sample set --tree tree --seed-data docs.jsonl -o mix.json", ".mix.json.lock"),
        ("export set --to npy -o exported", ".exported.lock"), ("feed set --batch-size 2 --steps 2 --raw fed", ".fed.lock"),
        ("eval run --data docs.jsonl --logits logits.safetensors", ".logits.safetensors.lock"),
        ("split set --tree tree --init run --branch-tokens 64 --sequence 32 --batch 2 -o parts", "parts/.lock"),
        ("finetune run --data docs.jsonl --sequence 32 --epochs 1 -o tuned", "tuned/.lock"),
      ] {
        let result = try shell(
          """
          rm -rf other-set/vectors; mkdir -p "$(dirname \(lock))"
          ( flock 9; touch held; wait_for go ) 9> \(lock) & until [ -e held ]; do sleep 0.02; done
          weir \(command); echo $?
          echo > go; wait %1; rm -f go held; weir \(command) --quiet; echo $?
          """)
        #expect(result.text.hasPrefix("1\n") && result.text.hasSuffix("0\n"), "\(command): \(result.text) \(result.errors)")
        #expect(result.errors.contains(": another process is writing to it"), "\(command): \(result.errors)")
        #expect(binary.read(lock) == nil, "\(command)")
      }
    }
  }

  @Test func twoRunsOfARecipe() throws {
    try inLockedFolder { binary, shell in
      try binary.write(
        "r.yaml",
        "run: out\nsteps:\n  - {name: a, says: a, do: 'train set --width 32 --layers 1 --sequence 32 --threads 1 --tokens 90k -o out/a'}\n")
      let result = try shell(
        """
        weir run r.yaml --quiet & wait_for out/steps/.lock
        weir run r.yaml; echo "second $?"; wait %1; echo "first $?"
        """)
      #expect(result.text == "second 1\nfirst 0\n", "\(result.errors)")
      #expect(result.errors.contains("another process is writing to it (pid ") && result.errors.contains("`weir run r.yaml --quiet`"))
    }
  }
}
