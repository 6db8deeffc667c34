import Documents
import Foundation
import Primitives
import Storage
import TestSupport
import Testing
import Tokens

/// Documents of random lengths and ids; now and then an empty one.
private func randomDocuments(seed: UInt64, count: Int, vocabulary: Int) -> [TokenDocument] {
  var generator = SequentialRandom(seed: seed)
  return (0..<count).map { index in
    let length = index % 17 == 3 ? 0 : Int.random(in: 1...2500, using: &generator)
    return TokenDocument(
      id: "document \"\(index)\"", source: index % 2 == 0 ? "even" : nil, origin: "file.jsonl:\(index + 1)",
      members: index % 3 == 0 ? Array(#""metadata":{"n":\#(index)}"#.utf8) : [], bytes: length * 4,
      tokens: (0..<length).map { _ in UInt32.random(in: 0..<UInt32(vocabulary), using: &generator) })
  }
}

@Test(arguments: [(300, 1 << 20), (65_499, 5000), (65_500, 5000), (128_000, 1)])
func aDatasetGivesBackWhatWasWritten(vocabulary: Int, shardTokens: Int) throws {
  try withTemporaryFolder { folder in
    let documents = randomDocuments(seed: UInt64(vocabulary), count: 60, vocabulary: vocabulary)
    let writer = try TokenDatasetWriter(
      folder + "/set", tokenizer: "abc", tokenizerFile: [123, 125], vocabulary: vocabulary, endOfDocument: 7, shardTokens: shardTokens)
    try writer.append(Array(documents.prefix(11)))
    try writer.append(Array(documents.dropFirst(11)))
    let manifest = try writer.commit(tool: "test")
    #expect(writer.account.isBalanced && writer.account.dropped == ["no_tokens": 4])
    let dataset = try TokenDataset(folder + "/set")
    let kept = documents.filter { !$0.tokens.isEmpty }
    #expect(dataset.fingerprint == manifest.fingerprint)
    #expect(dataset.documentCount == kept.count && dataset.tokenizer == "abc" && dataset.vocabulary == vocabulary)
    for (index, document) in kept.enumerated() {
      #expect(try dataset.tokens(document: index, range: 0..<dataset.length(index)) == document.tokens.map { Int32($0) } + [7])
    }
    // Windows cover every token once, in order, none longer than the limit.
    var covered = [Int](repeating: 0, count: kept.count)
    for index in 0..<dataset.windowCount {
      let window = dataset.window(index)
      #expect(window.offset == covered[window.document] && window.count > 0 && window.count <= Window.maximum)
      #expect(dataset.windows(of: window.document).contains(index))
      covered[window.document] += window.count
    }
    #expect(covered == (0..<kept.count).map { dataset.length($0) })
    var seen = 0
    try dataset.forEachInfo { index, info in
      #expect(index == seen && info.id == kept[index].id && info.source == kept[index].source && info.origin == kept[index].origin)
      #expect(info.members == kept[index].members && info.bytes == kept[index].bytes)
      seen += 1
      return true
    }
    #expect(seen == kept.count)
    #expect(try dataset.info(kept.count - 1).id == kept.last?.id)
  }
}

@Test func theIndexHasMegatronsBytes() throws {
  try withTemporaryFolder { folder in
    let writer = try TokenDatasetWriter(folder + "/set", tokenizer: "t", tokenizerFile: [], vocabulary: 1000, endOfDocument: 0)
    try writer.append([
      TokenDocument(id: "a", bytes: 2, tokens: [5, 258]), TokenDocument(id: "b", bytes: 1, tokens: [999]),
    ])
    _ = try writer.commit(tool: "test")
    #expect(try Files.read(folder + "/set/shard-00000.bin") == [5, 0, 2, 1, 0, 0, 0xE7, 3, 0, 0])
    var expected: [UInt8] = Array("MMIDIDX".utf8) + [0, 0] + [1, 0, 0, 0, 0, 0, 0, 0] + [8]
    expected += [2, 0, 0, 0, 0, 0, 0, 0] + [3, 0, 0, 0, 0, 0, 0, 0]  // sequences, document entries
    expected += [3, 0, 0, 0] + [2, 0, 0, 0]  // lengths
    expected += [0, 0, 0, 0, 0, 0, 0, 0] + [6, 0, 0, 0, 0, 0, 0, 0]  // pointers
    for index in 0...2 as ClosedRange<UInt8> { expected += [index, 0, 0, 0, 0, 0, 0, 0] }
    #expect(try Files.read(folder + "/set/shard-00000.idx") == expected)
  }
}

@Test func aDamagedIndexIsAnErrorWithItsByte() throws {
  try withTemporaryFolder { folder in
    let writer = try TokenDatasetWriter(folder + "/set", tokenizer: "t", tokenizerFile: [], vocabulary: 1000, endOfDocument: 0)
    try writer.append(randomDocuments(seed: 1, count: 5, vocabulary: 1000))
    _ = try writer.commit(tool: "test")
    let path = folder + "/set/shard-00000.idx"
    let whole = try Files.read(path)
    for length in 0..<whole.count {
      try Files.write(Array(whole[..<length]), to: path)
      #expect(throws: WeirError.self) { try TokenDataset(folder + "/set") }
    }
    // Any changed byte breaks a rule of the format.
    for index in whole.indices {
      var damaged = whole
      damaged[index] ^= 0x81
      try Files.write(damaged, to: path)
      #expect(throws: WeirError.self) { try TokenDataset(folder + "/set") }
    }
  }
}

@Test func anEmptyDatasetOrAForeignTokenIsRefused() throws {
  try withTemporaryFolder { folder in
    let empty = try TokenDatasetWriter(folder + "/empty", tokenizer: "t", tokenizerFile: [], vocabulary: 10, endOfDocument: 0)
    try empty.append([TokenDocument(id: "a", bytes: 0, tokens: [])])
    #expect(throws: WeirError.self) { try empty.commit(tool: "test") }
    let foreign = try TokenDatasetWriter(folder + "/foreign", tokenizer: "t", tokenizerFile: [], vocabulary: 10, endOfDocument: 0)
    #expect(throws: WeirError.self) { try foreign.append([TokenDocument(id: "a", bytes: 1, tokens: [10])]) }
    foreign.discard()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    #expect(throws: WeirError.self) { try TokenDataset(folder + "/none") }
  }
}

/// The sidecar's lines are those of Foundation's encoder with sorted keys and plain slashes.
@Test func sidecarLinesAreFoundations() throws {
  struct Line: Encodable {
    var id: String
    var source: String?
    var origin: String
    var bytes: Int
    var members: String?
  }
  try withTemporaryFolder { folder in
    var generator = SequentialRandom(seed: 4)
    var names = ["", "a/b", "\"\\\u{7F}\u{2028}é中😀"] + (0..<0x21).map { "x\(Character(Unicode.Scalar(UInt8($0))))y" }
    for _ in 0..<60 { names.append(String((0..<20).map { _ in Character(Unicode.Scalar(UInt8.random(in: 0...255, using: &generator))) })) }
    let documents = names.enumerated().map { index, name in
      TokenDocument(
        id: name, source: index % 2 == 0 ? name + "s" : nil, origin: "f\(name):\(index)", members: index % 3 == 0 ? Array(name.utf8) : [],
        bytes: index, tokens: [1])
    }
    let writer = try TokenDatasetWriter(folder + "/set", tokenizer: "t", tokenizerFile: [], vocabulary: 300, endOfDocument: 0)
    try writer.append(documents)
    _ = try writer.commit(tool: "test")
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var expected: [UInt8] = []
    for document in documents {
      let members = document.members.isEmpty ? nil : String(decoding: document.members, as: UTF8.self)
      let line = Line(id: document.id, source: document.source, origin: document.origin, bytes: document.bytes, members: members)
      expected += Array(try encoder.encode(line)) + [10]
    }
    #expect(try Files.read(folder + "/set/shard-00000.docs.jsonl") == expected)
  }
}
