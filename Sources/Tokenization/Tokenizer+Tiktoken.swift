import Foundation
import Primitives
import Storage

extension Tokenizer {
  /// Reads a tokenizer.json, a folder with one, or tiktoken ranks.
  /// - Parameters:
  ///   - path: the file or folder; a file is a rank file if its name does not end in `.json`.
  ///   - pretokenizer: the pre-tokenizer of a rank file; ignored for a tokenizer.json.
  ///   - specials: the special tokens of a rank file; nil for the published ones.
  /// - Throws: `WeirError` that names the line or the member.
  package init(importing path: String, pretokenizer: Pretokenizer?, specials: [AddedToken]? = nil) throws {
    if Files.isFolder(path) || path.hasSuffix(".json") {
      guard specials == nil else { throw WeirError(path, "defines its special tokens itself", remedy: "remove --special") }
      try self.init(folder: path)
      return
    }
    let text = try Files.read(path)
    try TokenizerFile.refuseModel(text, path: path)
    guard let pretokenizer else {
      throw WeirError(path, "is a rank file, which has no pre-tokenizer", remedy: "give --pretokenizer")
    }
    try self.init(tiktoken: text, path: path, pretokenizer: pretokenizer, specials: specials)
  }

  /// Reads tiktoken ranks: lines of `base64(bytes) rank`; a rank is the token's id and its priority.
  /// - Parameters:
  ///   - text: the content of the file.
  ///   - path: the file, for errors.
  ///   - specials: the special tokens; nil for the published ones, if the number of ranks and the pre-tokenizer are those of a known file.
  /// - Throws: `WeirError` that names the line, or a rank without a token.
  package init(tiktoken text: [UInt8], path: String, pretokenizer: Pretokenizer, specials: [AddedToken]? = nil) throws {
    var list = TokenList()
    var largest = -1
    var taken: Set<UInt32> = []
    for (number, line) in text.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() where !line.isEmpty {
      let parts = line.filter { $0 != 0x0D }.split(separator: 0x20)
      let place = "\(path):\(number + 1)"
      guard parts.count == 2 else { throw WeirError(place, "is not a token and its rank") }
      // In a published file (Whisper's multilingual ranks), "=" is a rank without bytes, which no text uses.
      guard let token = parts[0] == [0x3D] ? Data() : Data(base64Encoded: Data(parts[0])), !token.isEmpty || parts[0] == [0x3D] else {
        throw WeirError(place, "the token is not base64")
      }
      guard let rank = UInt32(String(decoding: parts[1], as: UTF8.self)), Int(rank) < Tokenizer.maximumVocabulary else {
        throw WeirError(place, "the rank is not a whole number below \(Tokenizer.maximumVocabulary)")
      }
      largest = max(largest, Int(rank))
      guard taken.insert(rank).inserted else { throw WeirError(place, "rank \(rank) occurs twice") }
      if !token.isEmpty { list.append(token, id: rank) }
    }
    guard !taken.isEmpty else { throw WeirError(path, "is empty") }
    guard let specials = specials ?? PublishedRanks.specials(ranks: list.count, largest: largest, pretokenizer: pretokenizer) else {
      throw WeirError(
        "specials", "\(path) with \(list.count) ranks is not a known file, so its special tokens are not known",
        remedy: "give each with its id, such as '\(Self.endOfDocumentName)=\(largest + 1)'")
    }
    for special in specials where special.id < Tokenizer.maximumVocabulary && !taken.insert(special.id).inserted {
      throw WeirError(path, "rank \(special.id) belongs to a token and to \"\(special.content)\"")
    }
    // A gap is a lost line or an undeclared special token.
    if let hole = (0..<UInt32(largest + 1)).first(where: { !taken.contains($0) }) {
      throw WeirError(
        path, "rank \(hole) is missing; the largest is \(largest)",
        remedy: "get the complete file, or declare the special token with --special")
    }
    let merges = try RankedMerges(list, path: path).merges()
    // A pre-token that is a token becomes that token, as in tiktoken.
    try self.init(
      vocabulary: list, merges: merges, added: specials, pretokenizer: pretokenizer,
      ignoresMerges: true,
      place: path)
  }

  /// The tokens as tiktoken ranks, with the same ids; special tokens are not part of the format.
  /// - Throws: `WeirError` if the ids do not increase with the merges, so that ranks would encode differently.
  package func tiktoken() throws -> [UInt8] {
    var made: Set<UInt32> = []
    var last: UInt32 = 0
    for merge in merges {
      guard merge.token >= last, made.insert(merge.token).inserted else {
        throw WeirError(
          "tiktoken", "the ids do not increase with the merges, or two merges produce one token", remedy: "write a tokenizer.json")
      }
      last = merge.token
    }
    let added = Set(addedTokens.map(\.id))
    var text: [UInt8] = []
    for id in 0..<UInt32(vocabularySize) where !added.contains(id) && !bytes(of: id).isEmpty {
      text.append(contentsOf: Data(bytes(of: id)).base64EncodedData())
      text.append(contentsOf: " \(id)\n".utf8)
    }
    return text
  }
}

/// Finds the merge of each ranked token: after all merges of lower rank, two parts of its bytes remain.
private struct RankedMerges {
  private let list: TokenList
  private var map = ByteMap()
  private var order: [Int] = []

  init(_ list: TokenList, path: String) throws {
    self.list = list
    map.reserve(keys: list.count, bytes: list.bytes.count)
    for index in 0..<list.count {
      let number = list.bytes.withUnsafeBufferPointer { map.insert(UnsafeBufferPointer(rebasing: $0[range(index)])) }
      guard number == index else { throw WeirError("\(path):\(index + 1)", "repeats a token") }
    }
    order = (0..<list.count).sorted { list.ids[$0] < list.ids[$1] }
  }

  private func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : list.ends[index - 1])..<list.ends[index] }

  /// The merges in order of rank. A token that merges cannot produce has none.
  func merges() -> [(left: UInt32, right: UInt32)] {
    var merges: [(left: UInt32, right: UInt32)] = []
    list.bytes.withUnsafeBufferPointer { bytes in
      for index in order {
        let token = range(index)
        if token.count < 2 { continue }
        var cuts = Array(token.lowerBound...token.upperBound)
        while cuts.count > 3, let at = lowest(bytes, cuts, below: list.ids[index]) { cuts.remove(at: at + 1) }
        guard cuts.count == 3, let left = rank(bytes, cuts[0]..<cuts[1]), let right = rank(bytes, cuts[1]..<cuts[2]) else { continue }
        merges.append((left: left, right: right))
      }
    }
    return merges
  }

  private func rank(_ bytes: UnsafeBufferPointer<UInt8>, _ part: Range<Int>) -> UInt32? {
    map.find(UnsafeBufferPointer(rebasing: bytes[part])).map { list.ids[$0] }
  }

  /// The part that forms the lowest-ranked token with the next part.
  private func lowest(_ bytes: UnsafeBufferPointer<UInt8>, _ cuts: [Int], below limit: UInt32) -> Int? {
    var best = limit
    var found: Int?
    for at in 0..<cuts.count - 2 {
      if let rank = rank(bytes, cuts[at]..<cuts[at + 2]), rank < best {
        best = rank
        found = at
      }
    }
    return found
  }
}
