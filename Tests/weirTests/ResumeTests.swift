import Foundation
import Testing

/// Datasets whose writing was stopped or killed, and resumed with the same command.
@Suite struct ResumeTests {
  private static let shards = "--shard-tokens 1500 --quiet"

  /// Documents in files of three formats, a tokenizer, and in `whole` the dataset of an uninterrupted run.
  private func prepare(_ binary: Binary) throws {
    let lines = Samples.lines(120)
    try binary.write("in/a.jsonl", (["\u{FEFF}" + lines[0]] + lines[1..<50] + ["broken", ""]).joined(separator: "\n") + "\n")
    try binary.write("in/b.txt", String(repeating: "a text of its own\r\n", count: 40))
    try binary.write("in/c.jsonl", lines[50...].joined(separator: "\n"))
    let result = try binary.shell(
      """
      set -e
      weir tokenizer train in/c.jsonl -o tok --vocabulary 320 --quiet
      weir read in/c.jsonl --quiet > in/c.jsonl.zst; gzip in/a.jsonl; rm in/c.jsonl
      weir tokenize in --tokenizer tok --shards whole --max-bad 1 \(Self.shards)
      """)
    #expect(result.code == 0, "\(result.errors)")
  }

  /// Sends a signal to the command that writes `set` shortly after its journal has that many lines, unless it finishes earlier.
  private func interrupted(_ binary: Binary, _ signal: String, lines: Int, later: Double) throws -> Binary.Result {
    try binary.shell(
      """
      "\(Binary.path)" tokenize in --tokenizer tok --shards set --max-bad 1 \(Self.shards) & run=$!
      while kill -0 $run 2>&- && [ "$(cat set.journal 2>&- | wc -l)" -lt \(lines) ]; do sleep 0.002; done
      sleep \(later)
      kill -\(signal) $run 2>&-
      wait $run
      """)
  }

  private func expectFiles(_ binary: Binary) throws {
    for name in try FileManager.default.subpathsOfDirectory(atPath: binary.folder.path + "/whole") {
      #expect(binary.read("set/\(name)") == binary.read("whole/\(name)"), "\(name)")
    }
  }

  private func expectWhole(_ binary: Binary) throws {
    try expectFiles(binary)
    #expect(!binary.names.contains("set.journal") && !binary.names.contains("set.partial"), "\(binary.names)")
  }

  @Test(arguments: [UInt64](0..<3)) func aRunKilledAtAnyMomentGoesOn(_ seed: UInt64) throws {
    try inFolder { binary in
      try prepare(binary)
      #expect(try FileManager.default.contentsOfDirectory(atPath: binary.folder.path + "/whole").filter { $0.hasSuffix(".bin") }.count > 4)
      var random = SplitMix(state: seed)
      var journal = 0
      for _ in 0..<3 {
        // Zero lines: at some time before the first shard.
        _ = try interrupted(binary, "KILL", lines: journal + Int(random.next() % 3), later: Double(random.next() % 20) / 1_000)
        let lines = binary.read("set.journal").map { $0.count { $0 == 0x0A } } ?? 0
        // Complete shards stay complete.
        #expect(lines >= journal || binary.names.contains("set"))
        journal = lines
      }
      // After a kill between the commit of the dataset and the removal of its journal, there is nothing to resume.
      let whole = binary.names.contains("set")
      if whole { try expectFiles(binary) }
      let result = try binary.shell("weir tokenize in --tokenizer tok --shards set --max-bad 1 --shard-tokens 1500")
      #expect(result.code == 0, "\(result.errors)")
      if journal > 1, !whole { #expect(result.errors.contains("resuming after \(journal - 1) complete shard"), "\(result.errors)") }
      // The account covers the whole run.
      #expect(result.errors.contains("read: 122 in, 121 out, 1 quarantined"), "\(result.errors)")
      try expectWhole(binary)
    }
  }

  @Test func aSignalStopsAndTheNextRunGoesOn() throws {
    try inFolder { binary in
      try prepare(binary)
      let stopped = try interrupted(binary, "TERM", lines: 3, later: 0)
      // It may have finished before the signal arrived.
      if stopped.code != 0 {
        #expect(stopped.errors.contains("run the same command again to resume"), "\(stopped.errors)")
        #expect(binary.names.contains("set.journal") && binary.names.contains("set.partial"), "\(binary.names)")
      }
      #expect(try binary.shell("weir tokenize in --tokenizer tok --shards set --max-bad 1 \(Self.shards)").code == 0)
      try expectWhole(binary)
    }
  }

  @Test(arguments: [
    "touch in/b.txt", "echo >> in/b.txt", "rm set.partial/shard-00001.idx", "truncate -s -1 set.journal", "echo x > set.journal",
  ])
  func whatChangedIsNotTakenOver(_ change: String) throws {
    try inFolder { binary in
      try prepare(binary)
      _ = try interrupted(binary, "KILL", lines: 4, later: 0)
      guard binary.names.contains("set.journal") else { return }
      #expect(try binary.shell("\(change); weir tokenize in --tokenizer tok --shards whole --max-bad 1 \(Self.shards)").code == 0)
      let result = try binary.shell("weir tokenize in --tokenizer tok --shards set --max-bad 1 --shard-tokens 1500")
      #expect(result.code == 0, "\(result.errors)")
      #expect(
        !result.errors.contains("resuming after") || change.contains("shard-00001") || change.contains("truncate"), "\(result.errors)")
      if change.contains("shard-00001") { #expect(result.errors.contains("resuming after 1 complete shard"), "\(result.errors)") }
      try expectWhole(binary)
    }
  }

  @Test func anotherJobBeginsAtItsBeginning() throws {
    try inFolder { binary in
      try prepare(binary)
      _ = try interrupted(binary, "KILL", lines: 3, later: 0)
      guard binary.names.contains("set.journal") else { return }
      let piped = try binary.shell("weir read in --max-bad 1 | weir tokenize --tokenizer tok | weir shard set --shard-tokens 1500")
      #expect(piped.code == 0 && !piped.errors.contains("goes on"), "\(piped.errors)")
      try expectWhole(binary)
    }
  }

  /// SplitMix64 (Sebastiano Vigna).
  private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var value = state
      value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
      value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
      return value ^ value >> 31
    }
  }
}
