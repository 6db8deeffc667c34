import Foundation
import Testing

/// Whether mpirun is installed and can start two ranks on this machine.
private let hasMPI: Bool = {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["timeout", "30", "mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "2", "true"]
  (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
  process.standardInput = FileHandle.nullDevice
  guard (try? process.run()) != nil else { return false }
  process.waitUntilExit()
  return process.terminationStatus == 0
}()

private let shape = "set --width 32 --layers 2 --sequence 32 --batch 8 --lr 0.01 --threads 1 --quiet"

/// `mpirun weir train` through the real binary; the machine may have fewer cores than there are ranks.
@Suite(.enabled(if: hasMPI, "mpirun is not installed or starts nothing here (Debian: openmpi-bin)"), .serialized) struct RanksTests {
  /// Shell functions: `ranks N ARGUMENTS`, and `stopped N SIGNAL LINES RUN ARGUMENTS`, which signals the last rank once the log has that
  /// many lines.
  private static let tools = """
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    ranks() { local n=$1; shift; timeout 60 mpirun --oversubscribe -n $n "\(Binary.path)" "$@"; }
    stopped() {
      local n=$1 signal=$2 lines=$3 run=$4; shift 4
      rm -f pid.*
      timeout 60 mpirun --oversubscribe -n $n bash -c 'echo $$ > pid.$OMPI_COMM_WORLD_RANK; exec "$@"' - "\(Binary.path)" "$@" -o $run &
      local job=$!
      until [ "$(cat $run/log.jsonl 2>/dev/null | wc -l)" -ge $lines ] || ! kill -0 $job 2>/dev/null; do sleep 0.02; done
      kill -$signal $(cat pid.$((n - 1)))
      wait $job
    }
    # Whether every process has ended, or will within seconds; one that nobody waits for counts as ended.
    gone() {
      for try in {1..100}; do
        grep -sqv ') Z' $(sed 's|.*|/proc/&/stat|' pid.*) || return 0
        sleep 0.05
      done
      return 1
    }

    """

  private func inRanks<R>(_ body: (Binary, (String) throws -> Binary.Result) throws -> R) throws -> R {
    try inFolder { binary in
      try binary.useMade()
      return try body(binary) { try binary.shell(Self.tools + $0) }
    }
  }

  /// The log without times, and its losses.
  private func log(_ run: String, _ binary: Binary) throws -> (lines: [String], losses: [Double]) {
    let lines = String(decoding: try #require(binary.read(run + "/log.jsonl")), as: UTF8.self).split(separator: "\n").map { line in
      String(line[..<(line.range(of: ", \"seconds\"")?.lowerBound ?? line.endIndex)])
    }
    struct Line: Codable { var loss: Double }
    return (lines, try lines.map { try JSONDecoder().decode(Line.self, from: Data(($0 + "}").utf8)).loss })
  }

  /// All numbers of the evaluations, in order.
  private func evaluations(_ run: String, _ binary: Binary) throws -> [Double] {
    String(decoding: try #require(binary.read(run + "/evaluations.jsonl")), as: UTF8.self).matches(of: /: ?([0-9][0-9.e-]*)/)
      .compactMap { Double($0.output.1) }
  }

  private func close(_ a: [Double], _ b: [Double], _ tolerance: Double) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(abs($0), abs($1)) }
  }

  @Test func theSamePiecesGiveTheSameBitsOnAnyNumberOfRanks() throws {
    try inRanks { binary, shell in
      let line = "train \(shape) --tokens 3k --accumulate 4 --checkpoint-every 5 --checkpoint-at 1k --valid docs.jsonl"
      let result = try shell("set -e; weir \(line) -o one; ranks 2 \(line) -o two; ranks 4 \(line) -o four")
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.errors.isEmpty, "\(result.errors)")
      let whole = try log("one", binary), scores = try evaluations("one", binary)
      #expect(whole.losses.count == 12 && scores.count > 4)
      for run in ["two", "four"] {
        #expect(try log(run, binary).lines == whole.lines)
        #expect(binary.read(run + "/model/model.safetensors") == binary.read("one/model/model.safetensors"))
        #expect(
          binary.read(run + "/checkpoints/step-00000004/optimizer.safetensors")
            == binary.read("one/checkpoints/step-00000004/optimizer.safetensors"))
        #expect(close(try evaluations(run, binary), scores, 1e-5))
      }
    }
  }

  @Test func otherPiecesGiveTheSameLosses() throws {
    try inRanks { binary, shell in
      let line = "train \(shape) --tokens 3k"
      let result = try shell("set -e; weir \(line) -o one; ranks 3 \(line) --threads 2 -o three")
      #expect(result.code == 0, "\(result.errors)")
      let whole = try log("one", binary)
      #expect((whole.losses.first ?? 0) - (whole.losses.last ?? 0) > 0.3)
      #expect(close(try log("three", binary).losses, whole.losses, 1e-4))
    }
  }

  @Test func finetuningInRanksGivesTheSameBits() throws {
    try inRanks { binary, shell in
      let line = "finetune base --data docs.jsonl --epochs 2 --sequence 32 --batch 4 --accumulate 2 --lr 0.003 --threads 1 --quiet"
      let result = try shell(
        """
        set -e
        weir train \(shape) --tokens 2k -o base
        for method in direct anneal; do
          weir \(line) --method $method --valid docs.jsonl -o $method-one
          ranks 2 \(line) --method $method --valid docs.jsonl -o $method-two
        done
        for replay in "--replay set" "--replay docs.jsonl" "--self-replay 3"; do
          name=$(tr -dc a-z <<<"$replay")
          weir \(line) --method direct $replay --replay-share 0.25 -o $name-one
          ranks 2 \(line) --method direct $replay --replay-share 0.25 -o $name-two
        done
        """)
      #expect(result.code == 0, "\(result.errors)")
      for method in ["direct", "anneal"] {
        #expect(try log(method + "-one", binary).losses.count > 4)
        #expect(try log(method + "-two", binary).lines == log(method + "-one", binary).lines)
        #expect(binary.read(method + "-two/model/model.safetensors") == binary.read(method + "-one/model/model.safetensors"))
        #expect(close(try evaluations(method + "-two", binary), try evaluations(method + "-one", binary), 1e-5))
      }
      #expect(binary.read("anneal-one/model/model.safetensors") != binary.read("direct-one/model/model.safetensors"))
      for name in ["replayset", "replaydocsjsonl", "selfreplay"] {
        let whole = try #require(binary.read(name + "-one/model/model.safetensors"))
        #expect(binary.read(name + "-two/model/model.safetensors") == whole, "\(name)")
        #expect(whole != binary.read("direct-one/model/model.safetensors"))
      }
      #expect(binary.read("selfreplay-two/self-replay.jsonl") == binary.read("selfreplay-one/self-replay.jsonl"))
    }
  }

  @Test func aStoppedRunGoesOnWithOtherRanks() throws {
    try inRanks { binary, shell in
      let line = "train \(shape) --tokens 64k --accumulate 4 --lr 0.003"
      let result = try shell(
        """
        weir \(line) -o whole || exit 10
        stopped 2 TERM 20 parts \(line); [ $? = 1 ] && gone || exit 11
        ls parts/checkpoints > first
        stopped 1 TERM 80 parts \(line); [ $? = 1 ] || exit 12
        ranks 4 \(line) -o parts || exit 13
        """)
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.complaints.filter { $0.hasSuffix("stopped; run the same command again to resume") }.count == 2, "\(result.errors)")
      #expect(String(decoding: try #require(binary.read("first")), as: UTF8.self).split(separator: "\n").count == 1)
      #expect(try log("parts", binary).lines == log("whole", binary).lines)
      #expect(binary.read("parts/model/model.safetensors") == binary.read("whole/model/model.safetensors"))
    }
  }

  @Test func theDeathOfARankEndsAll() throws {
    try inRanks { _, shell in
      let result = try shell("stopped 2 KILL 3 job train \(shape) --tokens 10M; code=$?; gone || exit 99; exit $code")
      #expect(result.code != 0 && result.code != 99 && result.code != 124, "\(result.code): \(result.errors)")
      #expect(result.errors.contains("rank 1") && result.errors.contains("signal 9"), "\(result.errors)")
    }
  }

  @Test(arguments: [
    // One rank fails, ranks disagree, all ranks fail for the same reason, a command that does not run on several ranks.
    ("1 weir train \(shape) --tokens 1k -o job : -n 1 weir train nowhere --tokens 1k -o job", ["rank 1 of 2", "nowhere"]),
    (
      "1 weir train \(shape) --tokens 1k -o job : -n 1 weir train \(shape) --tokens 1k --seed 2 -o job",
      ["rank 0 of 2", "rank 1", "configuration"]
    ),
    ("2 weir train set --batch 1 --tokens 1k -o job", ["rank 0 of 2", "--batch", "2 ranks"]),
    ("2 weir verify set", ["mpirun", "train"]),
  ])
  func aRankThatFailsSaysWhy(_ command: String, _ words: [String]) throws {
    try inRanks { binary, shell in
      let line = command.replacing("weir", with: "\"\(Binary.path)\"")
      let result = try shell("timeout 60 mpirun --oversubscribe -n \(line)")
      #expect(result.complaints.count == 1 || command.contains("verify"), "\(result.errors)")
      #expect(result.code == 1, "\(result.errors)")
      let complaint = try #require(result.complaints.first, "\(result.errors)")
      for word in words { #expect(complaint.contains(word), "\(result.errors)") }
      #expect(binary.read("job/report.json") == nil)
    }
  }
}
