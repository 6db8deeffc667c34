import Foundation
import Testing

/// Finetuning with replayed text.
@Suite struct ReplayTests {
  private static let line = "finetune run --data seed.jsonl --epochs 3 --sequence 32 --batch-size 4 --lr 0.003 --method direct --quiet"

  private func prepare(_ binary: Binary) throws {
    try binary.useMade()
    try binary.write("seed.jsonl", Samples.file(6, seed: 5))
  }

  private func report(_ result: Binary.Result) throws -> [String: Any] {
    #expect(result.code == 0, "\(result.errors)")
    return try #require(try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
  }

  private func model(_ run: String, _ binary: Binary) throws -> [UInt8] { try #require(binary.read(run + "/model/model.safetensors")) }

  @Test func aDatasetOrDocumentsAreReplayed() throws {
    try inFolder { binary in
      try prepare(binary)
      let plain = try report(binary.shell("weir \(Self.line) --json -o plain"))
      #expect(plain["replay"] == nil)
      for (name, data) in [("dataset", "set"), ("documents", "docs.jsonl"), ("several", "docs.jsonl seed.jsonl")] {
        let result = try report(binary.shell("weir \(Self.line) --replay \(data) --replay-share 0.25 --json -o \(name)"))
        let replay = try #require(result["replay"] as? [String: Any])
        let tokens = try #require(replay["tokens"] as? Int), steps = try #require(result["steps"] as? Int)
        #expect(replay["share"] as? Double == 0.25 && tokens > steps * 8 && tokens <= steps * 32, "\(replay)")
        #expect(steps > plain["steps"] as? Int ?? 0)
      }
      #expect(try Set(["plain", "dataset", "documents", "several"].map { try model($0, binary) }).count == 4)
      let short = try binary.shell("weir \(Self.line.replacing("--quiet", with: "")) --replay set --replay-share 0.001 -o short")
      #expect(short.errors.contains("warning: short: the run is too short for its share of replay"), "\(short.errors)")
      // Options of replay belong to the run.
      let other = try binary.shell("weir \(Self.line) --replay set --replay-share 0.1 -o dataset")
      expectFailure(other, naming: ["dataset: contains a different run", "dataset or mixture"])
    }
  }

  @Test func whatCannotBeReplayed() throws {
    try inFolder { binary in
      try prepare(binary)
      try binary.write("short.jsonl", "{\"text\":\"\"}\n")
      for (words, names) in [
        ("--replay other-set", ["run/model", "vocabulary of 320", "other-set"]), ("--replay none.jsonl", ["none.jsonl"]),
        ("--replay short.jsonl", ["short.jsonl: no document has two tokens"]),
        ("--replay set --replay-share 0.8", ["--replay-share: is 0.8, but batches of 4 rows can replay at most 3"]),
      ] {
        expectFailure(try binary.shell("weir \(Self.line) \(words) -o new"), naming: names)
      }
      for words in [
        "--replay set --self-replay 3", "--replay-share 0.1", "--replay set --replay-share 1", "--replay set --replay-share -0.1",
        "--self-replay 0",
      ] {
        #expect(try binary.shell("weir \(Self.line) \(words) -o new").code == 64)
      }
      // The same vocabulary, but other merges.
      let other = try binary.shell(
        """
        set -e
        sed 's/star/tsra/g; s/bread/drabe/g' docs.jsonl > changed.jsonl
        weir tokenizer train changed.jsonl -o changed-tok --vocabulary 320 --quiet
        weir tokenize docs.jsonl --tokenizer changed-tok --shards changed-set --quiet
        weir \(Self.line) --replay changed-set -o new
        """)
      expectFailure(other, naming: ["run/model: has another tokenizer than the dataset changed-set"])
    }
  }

  /// The initial model's own texts are made once, do not depend on the number of threads, and a run resumes with them.
  @Test func selfReplayIsMadeOnce() throws {
    try inFolder { binary in
      try prepare(binary)
      let line = Self.line + " --self-replay 7 --replay-share 0.25"
      let whole = try report(binary.shell("weir \(line) --threads 2 --json -o whole"))
      #expect((whole["replay"] as? [String: Any])?["generations"] as? Int == 7)
      let lines = String(decoding: binary.read("whole/self-replay.jsonl") ?? [], as: UTF8.self).split(separator: "\n")
      #expect(lines.count == 7 && Set(lines).count == 7)
      struct Line: Decodable { var id: String, text: String, tokens: [Int32] }
      for line in lines {
        let document = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
        #expect((2...32).contains(document.tokens.count), "\(document)")
      }
      _ = try binary.shell("weir \(line) --threads 1 -o single")
      #expect(binary.read("single/self-replay.jsonl") == binary.read("whole/self-replay.jsonl"))
      #expect(try model("single", binary) == model("whole", binary))
      // Killed after they were made: the next run reads them.
      let again = try binary.shell(
        "rm -rf single/[a-r]* single/model single/run.json single/report.json; ls single; weir \(line) -o single")
      #expect(again.code == 0, "\(again.errors)")
      #expect(try model("single", binary) == model("whole", binary))
      #expect(try binary.shell("weir verify whole").code == 0)
      _ = try binary.shell("sed -i 's/self-1/self-9/' single/self-replay.jsonl")
      expectFailure(try binary.shell("weir \(line) -o single"), naming: ["single/self-replay.jsonl", "is damaged"])
      #expect(try binary.shell("weir verify single").code != 0)
      expectFailure(
        try binary.shell("weir \(line) --seed 2 -o whole"), naming: ["whole/self-replay.jsonl: contains the generations of another run"])
      _ = try binary.shell("weir \(Self.line) -o plain")
      expectFailure(try binary.shell("weir \(line) -o plain"), naming: ["plain: contains a different run"])
      #expect(binary.read("plain/self-replay.jsonl") == nil)
    }
  }
}
