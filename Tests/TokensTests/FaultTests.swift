import Documents
import Foundation
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing
import Tokens

/// Everything that a dataset says.
private func content(_ path: String) throws -> [String] {
  let dataset = try TokenDataset(path)
  var lines = ["\(dataset.vocabulary) \(dataset.endOfDocument) \(dataset.byteCount) \(dataset.tokenizer) \(dataset.tokenCount)"]
  try dataset.forEachInfo { document, info in
    lines.append("\(info) \(try dataset.tokens(document: document, range: 0..<dataset.length(document)))")
    return true
  }
  return lines
}

@Test(arguments: [UInt64](0..<3)) func aFlippedBitNeverChangesWhatADatasetSays(_ seed: UInt64) throws {
  try withTemporaryFolder { folder in
    let set = folder + "/set"
    try writeDataset(set, seed: seed)
    let whole = try content(set)
    var random = SequentialRandom(seed: seed)
    var refused = 0
    for name in try Files.walk(set) {
      let path = set + "/" + name, bytes = try Files.read(path)
      for _ in 0..<25 {
        let bit = Int.random(in: 0..<8 * bytes.count, using: &random)
        var damaged = bytes
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        try Data(damaged).write(to: URL(fileURLWithPath: path))
        if let found = try? content(set) { #expect(found == whole, "\(name) bit \(bit)") } else { refused += 1 }
      }
      try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
    #expect(refused > 200)
  }
}

@Test func countsOutOfRangeAreRefused() throws {
  try withTemporaryFolder { folder in
    let set = folder + "/set"
    let manifest = try writeDataset(set, seed: 4)
    for (name, values) in [
      ("vocabulary", [1 << 40, 1 << 31, 0, 70_000]), ("end_of_document", [1 << 40, 300]), ("tokens", [0, 7]), ("shards", [0, 1 << 30]),
      ("documents", [0, 13]),
    ] {
      for value in values {
        var wrong = manifest
        wrong.counts[name] = value
        try wrong.write(folder: set)
        #expect(throws: WeirError.self, "\(name) \(value)") { try TokenDataset(set) }
      }
    }
    try manifest.write(folder: set)
    // A dataset of an earlier version, without checksums of blocks, is read as before.
    let whole = try content(set)
    var old = manifest
    old.files.removeAll { $0.name == BlockChecksums.fileName }
    try Files.remove(set + "/" + BlockChecksums.fileName)
    try old.write(folder: set)
    #expect(try content(set) == whole && TokenDataset(set).fingerprint == manifest.fingerprint)
    #expect(mkfifo(folder + "/pipe", 0o666) == 0)
    try Files.remove(set + "/shard-00000.bin")
    #expect(symlink(folder + "/pipe", set + "/shard-00000.bin") == 0)
    #expect(errorMessage { _ = try TokenDataset(set) }.contains("is not a regular file"))
  }
}

@Test func aJournalThatIsNoFileIsRefused() throws {
  try withTemporaryFolder { folder in
    try Files.write(Array("precious".utf8), to: folder + "/other")
    let journal = folder + "/set.journal"
    for make in [{ symlink(folder + "/other", journal) }, { mkfifo(journal, 0o666) }, { mkdir(journal, 0o777) }] {
      #expect(make() == 0)
      for job: JSONValue? in [nil, ["files": []]] {
        let message = errorMessage {
          _ = try TokenDatasetWriter(folder + "/set/", tokenizer: "t", tokenizerFile: [], vocabulary: 30, endOfDocument: 29, job: job)
        }
        #expect(message.contains("set.journal: is a"), "\(message)")
      }
      #expect(try Files.entries(of: folder) == ["other", "set.journal"])
      try Files.remove(journal)
    }
    #expect(try Files.read(folder + "/other") == Array("precious".utf8))
  }
}

/// A run that goes on after a journal was damaged makes the same dataset, whatever the damage.
@Test func aDamagedJournalNeverChangesTheDataset() throws {
  try withTemporaryFolder { folder in
    let documents = (0..<60).map { number in
      TokenDocument(id: "\(number)", origin: "f:\(number)", bytes: number, tokens: (0..<UInt32(number % 9 + 1)).map { $0 })
    }
    let job: JSONValue = ["files": [["path": "f"]]]
    func write(_ path: String, until end: Int = .max) throws -> (resumed: Int, manifest: Manifest?) {
      let writer = try TokenDatasetWriter(
        path, tokenizer: "t", tokenizerFile: [], vocabulary: 30, endOfDocument: 29, shardTokens: 60, job: job)
      var number = writer.resumption?.position.byte ?? 0
      while number < documents.count {
        let batch = documents[number..<min(number + 7, documents.count)]
        writer.beginBlock(DocumentSource.Position(file: 0, byte: number, line: number + 1), accounts: [Account(stage: "read")])
        if number + batch.count > end {
          writer.discard()
          return (writer.resumption?.shards ?? 0, nil)
        }
        try writer.append(Array(batch))
        number += batch.count
      }
      return (writer.resumption?.shards ?? 0, try writer.commit(tool: "test"))
    }
    let expected = try write(folder + "/whole").manifest
    _ = try write(folder + "/cut", until: 50)
    let journal = try Files.read(folder + "/cut.journal")
    let shards = journal.count { $0 == 0x0A } - 1
    #expect(shards >= 3)
    let start = journal.dropLast().lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    func resume(_ text: [UInt8]) throws -> (resumed: Int, manifest: Manifest?) {
      for name in ["set", "set.partial", "set.journal"] { try Files.remove(folder + "/" + name) }
      try FileManager.default.copyItem(atPath: folder + "/cut.partial", toPath: folder + "/set.partial")
      try Data(text).write(to: URL(fileURLWithPath: folder + "/set.journal"))
      return try write(folder + "/set")
    }
    #expect(try resume(journal) == (shards, expected))
    var random = SequentialRandom(seed: 1)
    for _ in 0..<120 {
      var damaged = journal
      damaged[Int.random(in: start..<journal.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      let found = try resume(damaged)
      #expect(found.manifest == expected && found.resumed == shards - 1)
    }
    // Lines that moved, vanished or were written by hand are not taken over either.
    let lines = journal.split(separator: 0x0A).map { Array($0) + [0x0A] }
    for changed in [
      lines[0] + lines[2] + lines[3], lines[0] + lines[1] + lines[1], lines[1] + lines[2], lines[0] + lines[2],
      lines[0] + Array(String(decoding: lines[1], as: UTF8.self).replacingOccurrences(of: "\"byte\":", with: "\"byte\":-").utf8),
      Array("{\"format\":\"weir.dataset-journal.1\"}\n".utf8), [],
    ] { #expect(try resume(changed).manifest == expected) }
  }
}
