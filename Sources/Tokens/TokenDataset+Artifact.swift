import Documents
import Primitives
import Storage

extension TokenDataset: Artifact {
  package static let form = ArtifactForm.folder
  package static func open(_ path: String) throws -> TokenDataset { try TokenDataset(path) }

  /// The shards and their documents; the files in the folders inside are left to the checks of their formats.
  package static func verifies(file name: String) -> Bool { !name.contains("/") }

  /// Every index fits its tokens, ids are within the vocabulary, every document ends with the end-of-document token and has its line, and the
  /// manifest's counts agree with the files.
  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    let manifest = try Manifest.read(folder: path, format: format)
    let place = path + "/" + Manifest.fileName
    let vocabulary = try manifest.count("vocabulary", in: path, range: 1...Int(Int32.max))
    let end = try manifest.count("end_of_document", in: path), shards = try manifest.count("shards", in: path)
    if manifest.inputs["tokenizer"] == nil { context.problem("\(place): does not name a tokenizer") }
    if end >= vocabulary { context.problem("\(place): the end-of-document token \(end) is outside the vocabulary of \(vocabulary)") }
    let named = DatasetFolder.shardCount(manifest.files.map(\.name))
    guard named == shards else {
      context.problem("\(place): counts \(shards) shards but names \(named)")
      return
    }
    var sums = ["documents": 0, "tokens": 0, "bytes": 0]
    var isComplete = true
    for number in 0..<shards {
      let shard = DatasetFolder(path).shard(number)
      var hasAllLines = false
      try context.attempt {
        let tokens = try MappedFile(shard.tokens)
        let index = try MegatronIndex(try MappedFile(shard.index), dataBytes: tokens.count)
        if index.tokenBytes != MegatronIndex.tokenBytes(vocabulary: vocabulary) {
          context.problem("\(shard.index)@17: tokens of \(index.tokenBytes) bytes for a vocabulary of \(vocabulary)")
        }
        try verify(tokens, index, vocabulary: vocabulary, end: end, context)
        let (lines, bytes) = try verify(documents: shard.documents, count: index.lengths.count, context)
        hasAllLines = lines == index.lengths.count
        sums["documents", default: 0] += index.lengths.count
        sums["tokens", default: 0] += index.lengths.reduce(0) { $0 + Int($1) }
        let (sum, overflow) = (sums["bytes"] ?? 0).addingReportingOverflow(bytes)
        sums["bytes"] = overflow ? .max : sum
      }
      isComplete = isComplete && hasAllLines
    }
    guard isComplete else { return }
    for (name, sum) in sums.sorted(by: { $0.key < $1.key }) where manifest.counts[name] != sum {
      context.problem("\(place): counts \(manifest.counts[name].map(String.init) ?? "no") \(name), the shards contain \(sum)")
    }
  }

  /// The token ids of a shard, and the last token of every document.
  private static func verify(
    _ file: MappedFile, _ index: MegatronIndex, vocabulary: Int, end: Int, _ context: any VerificationContext
  ) throws {
    let width = index.tokenBytes
    var problems = ProblemList(context)
    func wrong(_ byte: Int, _ reason: String) { problems.add("\(file.path)@\(byte): \(reason)") }
    try file.withBytes { bytes in
      func id(_ position: Int) -> UInt32 { bytes.element(position, width: width) }
      let limit = UInt32(clamping: vocabulary)
      var start = 0
      for (document, length) in index.lengths.enumerated() {
        if document % 1_024 == 0 { try context.checkStop() }
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
    problems.finish(file.path, "problems")
  }

  /// The lines that describe the documents of a shard.
  /// - Returns: the number of lines, and the sum of the documents' bytes.
  private static func verify(documents path: String, count: Int, _ context: any VerificationContext) throws -> (lines: Int, bytes: Int) {
    let reader = try LineReader(path, isRegular: true)
    var (lines, bytes) = (0, 0)
    var problems = ProblemList(context)
    while let line = try reader.next() {
      lines += 1
      if lines % 4_096 == 0 { try context.checkStop() }
      if let root = try? JSONDocument(line, place: path, lenient: true).root, root["id"]?.string != nil, root["origin"]?.string != nil,
        let size = root["bytes"]?.int, size >= 0
      {
        let (sum, overflow) = bytes.addingReportingOverflow(size)
        bytes = overflow ? .max : sum
      } else {
        problems.add("\(path):\(lines): does not describe a document (id, origin, bytes)")
      }
    }
    problems.finish(path, "lines")
    if lines != count { context.problem("\(path): has \(lines) lines for \(count) documents") }
    return (lines, bytes)
  }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let dataset = try TokenDataset(path)
    let paths = dataset.folder
    let n = Format.count
    let count = dataset.documentCount, tokens = dataset.tokenCount
    var facts = TextTable()
    facts.add("documents", n(count))
    let perDocument = Double(tokens) / Double(max(1, count)), perToken = Double(dataset.byteCount) / Double(max(1, tokens))
    facts.add("tokens", "\(n(tokens)) (\(Format.significant(perDocument)) per document, end-of-document tokens included)")
    facts.add("text", "\(n(dataset.byteCount)) bytes (\(Format.significant(perToken)) per token)")
    facts.add("windows", n(dataset.windowCount))
    facts.add("vocabulary", "\(n(dataset.vocabulary)), end-of-document token \(dataset.endOfDocument)")
    facts.add("tokenizer", dataset.tokenizer + (Files.exists(paths.tokenizerFile) ? ", included" : ""))
    facts.add("fingerprint", dataset.fingerprint)
    facts.add("written by", Format.clip(dataset.manifest.tool, 60))
    var shards = TextTable(["shard", "documents", "tokens", "bytes per token"], right: [1, 2, 3])
    let shardCount = DatasetFolder.shardCount(dataset.manifest.files.map(\.name))
    for number in 0..<min(lines, shardCount) {
      let shard = paths.shard(number)
      let index = try MegatronIndex(try MappedFile(shard.index), dataBytes: try Files.size(shard.tokens))
      shards.add(shard.name, n(index.lengths.count), n(index.lengths.reduce(0) { $0 + Int($1) }), "\(index.tokenBytes)")
    }
    var documents = TextTable(["document", "tokens", "bytes", "id", "origin", "first tokens"], right: [0, 1, 2])
    try dataset.forEachInfo { document, info in
      guard document < lines else { return false }
      let length = dataset.length(document)
      let first = try dataset.tokens(document: document, range: 0..<min(8, length)).map(String.init).joined(separator: " ")
      documents.add(
        "\(document)", n(length), n(info.bytes), Format.clip(info.id, 40), Format.clip(info.origin, 48),
        first + (length > 8 ? " …" : ""))
      return true
    }
    var inside: [String] = []
    for kind in [DatasetFolder.Kind.vectors, .clusters] {
      let names = try paths.folders(kind).compactMap { $0.split(separator: "/").last }
      if !names.isEmpty { inside.append("\(kind.rawValue): \(names.joined(separator: ", "))") }
    }
    return [kind] + facts.lines + [""] + shards.lines + Format.more(shardCount - lines, "shards") + [""] + documents.lines
      + Format.more(count - lines, "documents") + (inside.isEmpty ? [] : [""] + inside)
  }
}
