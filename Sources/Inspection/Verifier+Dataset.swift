import Documents
import Pipeline
import Primitives
import Storage
import Tokens

extension Verifier {
  /// A token dataset: each index fits its tokens, ids are below the vocabulary, every document ends with the end-of-document token and
  /// has its line, and the manifest's counts are those of the files.
  func checkDataset(_ manifest: Manifest, in folder: String) throws {
    let place = folder + "/" + Manifest.fileName
    func count(_ name: String) throws -> Int {
      guard let value = manifest.counts[name], value >= 0 else {
        throw WeirError(place, "no count of \(name)", remedy: "make the dataset again")
      }
      return value
    }
    let (vocabulary, end, shards) = (try count("vocabulary"), try count("end_of_document"), try count("shards"))
    if manifest.inputs["tokenizer"] == nil { problem("\(place): names no tokenizer") }
    if end >= vocabulary { problem("\(place): the end-of-document token \(end) is outside the vocabulary of \(vocabulary)") }
    let named = manifest.files.filter { $0.name.hasPrefix("shard-") && $0.name.hasSuffix(".bin") }.count
    guard named == shards else {
      problem("\(place): counts \(shards) shards and names \(named)")
      return
    }
    var sums = ["documents": 0, "tokens": 0, "bytes": 0]
    var whole = true
    for shard in 0..<shards {
      let base = folder + "/" + TokenDataset.shardName(shard)
      var complete = false
      try attempt {
        let tokens = try MappedFile(base + ".bin")
        let index = try MegatronIndex(try MappedFile(base + ".idx"), dataBytes: tokens.count)
        if index.tokenBytes != MegatronIndex.tokenBytes(vocabulary: vocabulary) {
          problem("\(base).idx@17: tokens of \(index.tokenBytes) bytes for a vocabulary of \(vocabulary)")
        }
        try checkTokens(tokens, index, vocabulary: vocabulary, end: end)
        let (lines, bytes) = try checkInfo(base + ".docs.jsonl", documents: index.lengths.count)
        complete = lines == index.lengths.count
        sums["documents", default: 0] += index.lengths.count
        sums["tokens", default: 0] += index.lengths.reduce(0) { $0 + Int($1) }
        let (sum, overflow) = (sums["bytes"] ?? 0).addingReportingOverflow(bytes)
        sums["bytes"] = overflow ? .max : sum
      }
      whole = whole && complete
    }
    guard whole else { return }
    for (name, sum) in sums.sorted(by: { $0.key < $1.key }) where manifest.counts[name] != sum {
      problem("\(place): counts \(manifest.counts[name].map(String.init) ?? "no") \(name), the shards hold \(sum)")
    }
  }

  /// Ids and ends of a shard.
  private func checkTokens(_ file: MappedFile, _ index: MegatronIndex, vocabulary: Int, end: Int) throws {
    let width = index.tokenBytes
    var listed = 0
    func wrong(_ byte: Int, _ reason: String) {
      listed += 1
      if listed <= Self.problemLimit { problem("\(file.path)@\(byte): \(reason)") }
    }
    try file.withBytes { bytes in
      func id(_ position: Int) -> UInt32 {
        width == 2
          ? UInt32(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * position, as: UInt16.self)))
          : UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * position, as: UInt32.self))
      }
      let limit = UInt32(clamping: vocabulary)
      var start = 0
      for (document, length) in index.lengths.enumerated() {
        if document % 1_024 == 0 { try progress.checkStop() }
        guard length > 0 else {
          wrong(start * width, "document \(document) is empty")
          continue
        }
        for position in start..<start + Int(length) where id(position) >= limit {
          wrong(position * width, "token \(id(position)) is outside the vocabulary of \(vocabulary)")
        }
        start += Int(length)
        let last = id(start - 1)
        if last != UInt32(clamping: end) {
          wrong((start - 1) * width, "document \(document) ends with token \(last), not with the end-of-document token \(end)")
        }
      }
    }
    if listed > Self.problemLimit { problem("\(file.path): and \(listed - Self.problemLimit) more like that") }
  }

  /// The lines that say where documents come from.
  /// - Returns: the lines, and the sum of the documents' bytes.
  private func checkInfo(_ path: String, documents: Int) throws -> (lines: Int, bytes: Int) {
    let reader = try LineReader(path)
    var (lines, bytes, bad) = (0, 0, 0)
    while let line = try reader.next() {
      lines += 1
      if lines % 4_096 == 0 { try progress.checkStop() }
      if let root = try? JSONDocument(line, place: path).root, root["id"]?.string != nil, root["origin"]?.string != nil,
        let size = root["bytes"]?.int, size >= 0
      {
        let (sum, overflow) = bytes.addingReportingOverflow(size)
        bytes = overflow ? .max : sum
        continue
      }
      bad += 1
      if bad <= Self.problemLimit { problem("\(path):\(lines): is no document's line (id, origin, bytes)") }
    }
    if bad > Self.problemLimit { problem("\(path): and \(bad - Self.problemLimit) more lines like that") }
    if lines != documents { problem("\(path): has \(lines) lines for \(documents) documents") }
    return (lines, bytes)
  }
}
