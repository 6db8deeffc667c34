import Foundation
import Testing

/// Documents with duplicates, near-duplicates and unknown members.
private func corpus(_ count: Int) -> String {
  let words = "river weir stone water gate flow measure channel bank flood level mill race sluice dam pool".split(separator: " ")
  var state: UInt64 = 7
  func word() -> Substring {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return words[Int(state >> 33) % words.count]
  }
  var lines: [String] = []
  for index in 0..<count {
    let text = index % 10 == 9 ? "the same text every tenth time" : (0..<60).map { _ in String(word()) }.joined(separator: " ")
    lines.append(
      #"{"id": "d\#(index)", "text": "\#(text)", "extra": {"n":  \#(index), "list": [1,2.50,null]}, "source": "s\#(index % 3)"}"#)
  }
  return lines.joined(separator: "\n") + "\n"
}

/// The content of every file in a folder.
private func files(_ binary: Binary, _ folder: String) throws -> [String: [UInt8]] {
  var result: [String: [UInt8]] = [:]
  for name in try FileManager.default.subpathsOfDirectory(atPath: binary.folder.appendingPathComponent(folder).path) {
    result[name] = binary.read(folder + "/" + name)
  }
  return result
}

private let stages = "filter --rules length | dedup --exact | dedup --fuzzy | tokenize --tokenizer tok"

@Test func aPipeAndAFusedRunGiveTheSameBytesOnAnyNumberOfThreads() throws {
  try inFolder { binary in
    try binary.write("in/a.jsonl", corpus(300))
    try binary.write("in/b.jsonl", corpus(40))
    #expect(try binary.weir("tokenizer", "train", "in", "-o", "tok", "--vocabulary", "400", "--quiet").code == 0)
    try binary.write("recipe.yaml", "run: run\nsteps:\n  - {name: data, says: all of it, do: read in | \(stages) | shard run/set}\n")
    let fused = try binary.weir("run", "recipe.yaml")
    #expect(fused.code == 0, "\(fused.errors)")
    let expected = try files(binary, "run/set")
    #expect(expected.keys.contains("shard-00000.bin") && expected.keys.contains("manifest.json"))
    for threads in 1...3 {
      let line = "read in | \(stages) | shard piped-\(threads)".split(separator: "|")
        .map { "weir \($0.trimmingCharacters(in: .whitespaces)) --threads \(threads)" }.joined(separator: " | ")
      let piped = try binary.shell("set -o pipefail; " + line)
      #expect(piped.code == 0, "\(piped.errors)")
      #expect(try files(binary, "piped-\(threads)") == expected)
    }
    // The fused path omits nothing that the separate stages do.
    #expect(try binary.weir("verify", "run/set").code == 0)
  }
}

@Test func anUpstreamThatDiesMakesTheDownstreamFailAndCommitNothing() throws {
  try inFolder { binary in
    try binary.write("in.jsonl", corpus(400))
    #expect(try binary.weir("tokenizer", "train", "in.jsonl", "-o", "tok", "--vocabulary", "300", "--quiet").code == 0)
    let whole = try binary.shell("weir read in.jsonl | cat").output
    #expect(whole.count > 100)
    for length in [0, 1, 40, whole.count / 2, whole.count - 40, whole.count - 1] {
      try binary.write("cut.stream", Array(whole.prefix(length)))
      let result = try binary.shell("cat cut.stream | weir dedup -o out.jsonl.zst")
      #expect(result.code == 1, "cut at \(length): \(result.errors)")
      #expect(result.complaints.count == 1, "\(result.errors)")
      #expect(!binary.names.contains("out.jsonl.zst"))
    }
    let tokens = try binary.shell("weir tokenize in.jsonl --tokenizer tok | cat").output
    for length in [1, tokens.count / 2, tokens.count - 3] {
      try binary.write("cut.stream", Array(tokens.prefix(length)))
      let result = try binary.shell("cat cut.stream | weir shard set")
      #expect(result.code == 1, "cut at \(length): \(result.errors)")
      #expect(!binary.names.contains("set") && !binary.names.contains("set.partial"))
    }
    // With complete input, both succeed.
    try binary.write("whole.stream", whole)
    #expect(try binary.shell("cat whole.stream | weir dedup -o out.jsonl.zst").code == 0)
  }
}

@Test func tokensGoBackToTheSameDocumentsWithEveryMember() throws {
  try inFolder { binary in
    try binary.write("in.jsonl", corpus(60))
    #expect(try binary.weir("tokenizer", "train", "in.jsonl", "-o", "tok", "--vocabulary", "300", "--quiet").code == 0)
    let direct = try binary.shell("weir read in.jsonl --plain")
    let back = try binary.shell(
      "set -o pipefail; weir read in.jsonl | weir tokenize --tokenizer tok | weir tokenize --tokenizer tok --decode --plain")
    #expect(back.code == 0, "\(back.errors)")
    #expect(back.output == direct.output)
    #expect(direct.text.contains(#""extra": {"n":  7, "list": [1,2.50,null]}"#))
  }
}
