import Foundation
import Testing

/// Documents of three made-up domains, identical on every call.
enum Samples {
  private static let domains: [(String, [String])] = [
    ("stars", ["star", "galaxy", "telescope", "orbit", "light", "planet", "comet", "distance", "spectrum", "nebula"]),
    ("law", ["court", "judge", "contract", "law", "clause", "party", "appeal", "ruling", "evidence", "witness"]),
    ("food", ["bread", "flour", "butter", "oven", "salt", "sugar", "yeast", "dough", "bake", "kitchen"]),
  ]
  private static let common = ["the", "a", "of", "and", "in", "to", "is", "with", "for", "on", "as", "by", "from", "that", "which", "it"]

  /// Lines of JSON with id, text, source, metadata, and members that no stage interprets.
  static func lines(_ count: Int, words: Int = 60, seed: UInt64 = 1) -> [String] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    func draw(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(truncatingIfNeeded: state >> 33) % bound
    }
    return (0..<count).map { index in
      let (name, own) = domains[index % domains.count]
      let text = (0..<words).map { _ in draw(2) == 0 ? own[draw(own.count)] : common[draw(common.count)] }.joined(separator: " ")
      return
        #"{"id":"d\#(index)","text":"\#(text) é.","source":"\#(name)","metadata":{"domain":"\#(name)"},"odd":{ "n": 1.50e3,"s":"\u00e9\/"}}"#
    }
  }

  /// The same lines as one file.
  static func file(_ count: Int, words: Int = 60, seed: UInt64 = 1) -> String {
    lines(count, words: words, seed: seed).joined(separator: "\n") + "\n"
  }
}

/// Fixtures that many tests share, built once: documents, tokenizer, dataset, tree, mixture and run, and the same for another tokenizer.
enum Made {
  static let folder: Result<String, any Error> = Result {
    let binary = try Binary()
    try binary.write("docs.jsonl", Samples.file(60))
    // One folder for all tests; the process removes it at exit.
    Removal.path = binary.folder.path
    atexit { Removal.now() }
    let line = """
      set -e
      weir tokenizer train docs.jsonl -o tok --vocabulary 320 --quiet
      weir tokenizer train docs.jsonl -o other-tok --vocabulary 300 --quiet
      for x in "" other-; do
        weir tokenize docs.jsonl --tokenizer ${x}tok --shards ${x}set --quiet
        weir embed ${x}set --dimensions 8 --quiet
        weir cluster fit ${x}set -o ${x}tree --arity 2 --depth 2 --minimum-leaf 4 --quiet
        weir cluster assign ${x}set --tree ${x}tree --quiet
        weir sample ${x}set --tree ${x}tree --seed-data docs.jsonl -o ${x}mix.json --quiet
      done
      weir train set -o run --width 32 --layers 1 --sequence 32 --batch 2 --tokens 128 --quiet
      """
    let result = try binary.shell(line)
    guard result.code == 0 else { throw Failure(text: result.errors) }
    return binary.folder.path
  }

  struct Failure: Error { var text: String }

  private enum Removal {
    nonisolated(unsafe) static var path: String?
    static func now() {
      if let path { try? FileManager.default.removeItem(atPath: path) }
    }
  }
}

extension Binary {
  /// Copies the fixtures of `Made` into the folder.
  func useMade() throws {
    let made = try Made.folder.get()
    for name in try FileManager.default.contentsOfDirectory(atPath: made) where !name.hasPrefix(".") {
      try FileManager.default.copyItem(atPath: "\(made)/\(name)", toPath: folder.appendingPathComponent(name).path)
    }
  }

  /// The checksum and modification time of every file under the folder.
  func snapshot(times: Bool = false) throws -> [String: String] {
    var found: [String: String] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where !name.hasPrefix(".stream-") {
      let path = folder.appendingPathComponent(name).path
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      guard attributes[.type] as? FileAttributeType == .typeRegular else {
        found[name] = "folder"
        continue
      }
      let bytes = read(name) ?? []
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      found[name] = "\(bytes.count) \(hash)" + (times ? " \((attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0)" : "")
    }
    return found
  }
}

/// Checks that a run failed as expected: the exit code, a one-line error that contains the given words, no crash.
func expectFailure(
  _ result: Binary.Result, code: Int32 = 1, naming words: [String], sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(result.code == code, "\(result.errors)", sourceLocation: sourceLocation)
  let complaints = result.complaints.filter { !$0.hasPrefix("weir: warning: ") }
  #expect(complaints.count == 1, "\(result.errors)", sourceLocation: sourceLocation)
  #expect(complaints.first?.hasPrefix("weir: ") ?? false, "\(result.errors)", sourceLocation: sourceLocation)
  for word in words {
    #expect(
      word.isEmpty || complaints.first?.contains(word) ?? false, "\"\(word)\" is not in: \(result.errors)", sourceLocation: sourceLocation)
  }
  for mark in ["Fatal error", "Backtrac", "crashed", "Swift.", "NSCocoa", "Error Domain"] {
    #expect(!result.errors.contains(mark), "\(result.errors)", sourceLocation: sourceLocation)
  }
  let lines = result.errors.split(separator: "\n").filter { !$0.hasPrefix("weir: warning: ") }
  if code == 1 { #expect(lines.count == 1, "\(result.errors)", sourceLocation: sourceLocation) }
}
