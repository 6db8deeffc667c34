import Foundation
import Primitives
import Storage

extension Tokenizer {
  /// Reads what other tools wrote: a tokenizer.json, a folder with one, or tiktoken ranks.
  /// - Parameters:
  ///   - path: the file or folder; ranks are told by their name not ending in `.json`.
  ///   - pretokenizer: how a text is cut, which ranks do not say; ignored for a tokenizer.json.
  ///   - specials: the special tokens, which ranks do not say either; nil for published ones.
  /// - Throws: `WeirError` that names the line or the member.
  package init(importing path: String, pretokenizer: Pretokenizer?, specials: [AddedToken]? = nil) throws {
    if Files.isFolder(path) || path.hasSuffix(".json") {
      guard specials == nil else { throw WeirError(path, "names its special tokens itself", remedy: "leave --special away") }
      try self.init(folder: path)
      return
    }
    guard let pretokenizer else {
      throw WeirError(path, "ranks do not say how text is cut", remedy: "give --pretokenizer")
    }
    try self.init(tiktoken: try Files.read(path), path: path, pretokenizer: pretokenizer, specials: specials)
  }

  /// Reads tiktoken ranks: lines of `base64(bytes) rank`; a rank is the token's id and its priority.
  /// - Parameters:
  ///   - text: the file.
  ///   - path: what errors name.
  ///   - pretokenizer: how a text is cut.
  ///   - specials: the special tokens; nil for the published ones of GPT-2 and cl100k where the number of ranks is theirs, else
  ///     `<|endoftext|>` after the last rank.
  /// - Throws: `WeirError` that names the line, or the rank that neither a token nor a special token has.
  package init(tiktoken text: [UInt8], path: String, pretokenizer: Pretokenizer, specials: [AddedToken]? = nil) throws {
    var list = TokenList()
    var largest = -1
    var taken: Set<UInt32> = []
    for (number, line) in text.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() where !line.isEmpty {
      let parts = line.filter { $0 != 0x0D }.split(separator: 0x20)
      let place = "\(path):\(number + 1)"
      guard parts.count == 2 else { throw WeirError(place, "is not a token and its rank") }
      // "=" stands for no bytes in a published file (Whisper's multilingual ranks): a rank that is taken, but no text's.
      guard let token = parts[0] == [0x3D] ? Data() : Data(base64Encoded: Data(parts[0])), !token.isEmpty || parts[0] == [0x3D] else {
        throw WeirError(place, "the token is not base64")
      }
      guard let rank = UInt32(String(decoding: parts[1], as: UTF8.self)), Int(rank) < Tokenizer.maximumVocabulary else {
        throw WeirError(place, "the rank is not a whole number below \(Tokenizer.maximumVocabulary)")
      }
      largest = max(largest, Int(rank))
      guard taken.insert(rank).inserted else { throw WeirError(place, "the rank \(rank) is there for the second time") }
      if !token.isEmpty { list.append(token, id: rank) }
    }
    let specials = specials ?? Self.publishedSpecials(list, largest: largest)
    for special in specials where special.id < Tokenizer.maximumVocabulary && !taken.insert(special.id).inserted {
      throw WeirError(path, "the rank \(special.id) belongs to a token and to \"\(special.content)\"")
    }
    // A hole is a line that was lost, or a special token that nobody named.
    if let hole = (0..<UInt32(largest + 1)).first(where: { !taken.contains($0) }) {
      throw WeirError(
        path, "the rank \(hole) is missing, the largest is \(largest)",
        remedy: "get the whole file, or name the special token with --special")
    }
    let merges = try RankedMerges(list, path: path).merges()
    // A pre-token that is a token as a whole becomes it, as in tiktoken.
    try self.init(
      vocabulary: list, merges: merges, added: specials, pretokenizer: pretokenizer,
      ignoresMerges: true,
      place: path)
  }

  private static func publishedSpecials(_ list: TokenList, largest: Int) -> [AddedToken] {
    switch list.count {
    case 50_256 where largest == 50_255: return [AddedToken(id: 50_256, content: endOfDocumentName)]
    case 100_256:
      return [
        AddedToken(id: 100_257, content: endOfDocumentName), AddedToken(id: 100_258, content: "<|fim_prefix|>"),
        AddedToken(id: 100_259, content: "<|fim_middle|>"), AddedToken(id: 100_260, content: "<|fim_suffix|>"),
        AddedToken(id: 100_276, content: "<|endofprompt|>"),
      ]
    default: return [AddedToken(id: UInt32(largest + 1), content: endOfDocumentName)]
    }
  }

  /// The tokens as tiktoken ranks, ids as they are; special tokens are not part of that format.
  /// - Throws: `WeirError` where the ids do not rise with the merges, so that ranks would encode otherwise.
  package func tiktoken() throws -> [UInt8] {
    var made: Set<UInt32> = []
    var last: UInt32 = 0
    for merge in merges {
      guard merge.token >= last, made.insert(merge.token).inserted else {
        throw WeirError("tiktoken", "the ids do not rise with the merges, or two merges make one token", remedy: "write a tokenizer.json")
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

/// Finds the merge behind each ranked token: what is left of its bytes after all merges of lower rank are two parts.
private struct RankedMerges {
  private let list: TokenList
  private var map = ByteMap()
  private var order: [Int] = []

  init(_ list: TokenList, path: String) throws {
    self.list = list
    map.reserve(keys: list.count, bytes: list.bytes.count)
    for index in 0..<list.count {
      let number = list.bytes.withUnsafeBufferPointer { map.insert(UnsafeBufferPointer(rebasing: $0[range(index)])) }
      guard number == index else { throw WeirError("\(path):\(index + 1)", "has a token for the second time") }
    }
    order = (0..<list.count).sorted { list.ids[$0] < list.ids[$1] }
  }

  private func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : list.ends[index - 1])..<list.ends[index] }

  /// The merges in order of rank. A token that merges cannot reach has none.
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

  /// The part that makes the lowest-ranked token with the one after it.
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
