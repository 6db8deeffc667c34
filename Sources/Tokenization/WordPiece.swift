import Foundation
import Primitives
import Storage

/// WordPiece (Wu et al. 2016, section 4.1; Devlin et al. 2019) as used by BERT-like encoders such as MiniLM: text is cleaned, lowercased,
/// stripped of accents, and split at whitespace, punctuation and Han characters; each word becomes its longest pieces from the left.
///
/// The ids equal those of Hugging Face's `BertNormalizer`, `BertPreTokenizer` and `WordPiece` on the same text, without `[CLS]` and `[SEP]`.
package struct WordPiece: Sendable {
  /// Normalization.
  package struct Options: Sendable, Equatable {
    /// Whether to remove control characters and to replace whitespace by spaces.
    package var cleansText = true
    /// Whether Han characters are words of their own.
    package var separatesHan = true
    /// Whether to strip accents.
    package var stripsAccents = true
    /// Whether to lowercase.
    package var lowercases = true
    /// Words of more characters become the unknown token.
    package var longestWord = 100
    /// Prefix of pieces within a word.
    package var continuation = "##"

    /// The options of the uncased models.
    package init() {}
  }

  package let options: Options
  /// The id of words that the vocabulary cannot spell.
  package let unknown: UInt32
  package let vocabularySize: Int
  private let map: ByteMap
  private let ids: [UInt32]
  private let classes: [UInt8]
  private let longestPiece: Int

  private static let gone: UInt8 = 1
  private static let space: UInt8 = 2
  private static let punctuation: UInt8 = 3
  private static let accent: UInt8 = 4
  private static let han: UInt8 = 5

  /// - Parameters:
  ///   - pieces: the pieces with their ids.
  ///   - unknown: the piece for words that cannot be spelled.
  ///   - place: the file, for errors.
  package init(pieces: [(piece: [UInt8], id: UInt32)], unknown: String, options: Options = Options(), place: String) throws {
    var map = ByteMap()
    var ids: [UInt32] = []
    map.reserve(keys: pieces.count, bytes: 8 * pieces.count)
    var seen = Set<UInt32>()
    for (piece, id) in pieces {
      guard !piece.isEmpty else { throw WeirError(place, "model.vocab has an empty piece (id \(id))") }
      guard Int(id) < Tokenizer.maximumVocabulary else { throw WeirError(place, "model.vocab has id \(id), which is too large") }
      guard piece.withUnsafeBufferPointer({ map.insert($0) }) == ids.count else {
        throw WeirError(place, "model.vocab has \"\(String(decoding: piece, as: UTF8.self))\" twice")
      }
      guard seen.insert(id).inserted else { throw WeirError(place, "model.vocab has the id \(id) twice") }
      ids.append(id)
    }
    guard let index = map.find(Array(unknown.utf8)) else {
      throw WeirError(place, "model.unk_token is \"\(unknown)\", which is not in model.vocab")
    }
    self.unknown = ids[index]
    self.map = map
    self.ids = ids
    self.options = options
    vocabularySize = Int(ids.max() ?? 0) + 1
    longestPiece = pieces.reduce(0) { max($0, $1.piece.count) }
    var classes = [UInt8](repeating: 0, count: 0x110000)
    for (index, run) in Self.runs.enumerated() where run & 7 != 0 {
      let end = index + 1 < Self.runs.count ? Int(Self.runs[index + 1] >> 3) : 0x110000
      for scalar in Int(run >> 3)..<end { classes[scalar] = UInt8(run & 7) }
    }
    self.classes = classes
  }

  package func id(of piece: String) -> UInt32? { map.find(Array(piece.utf8)).map { ids[$0] } }

  /// The ids of a text.
  /// - Complexity: O(characters × the longest piece).
  package func encode(_ text: String) -> [UInt32] {
    var output: [UInt32] = []
    var word: [UInt8] = []
    var characters = 0
    func finish() {
      if !word.isEmpty { append(word, characters: characters, to: &output) }
      word.removeAll(keepingCapacity: true)
      characters = 0
    }
    func add(_ scalar: Unicode.Scalar) {
      word.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      characters += 1
    }
    for scalar in normalized(text).unicodeScalars {
      if scalar.properties.isWhitespace {
        finish()
      } else if classes[Int(scalar.value)] == Self.punctuation {
        finish()
        add(scalar)
        finish()
      } else {
        add(scalar)
      }
    }
    finish()
    return output
  }

  /// The normalized text.
  func normalized(_ text: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let kind = classes[Int(scalar.value)]
      if options.cleansText {
        if kind == Self.gone { continue }
        if kind == Self.space {
          scalars.append(" ")
          continue
        }
      }
      if options.separatesHan, kind == Self.han {
        scalars.append(" ")
        scalars.append(scalar)
        scalars.append(" ")
      } else {
        scalars.append(scalar)
      }
    }
    if options.stripsAccents, scalars.contains(where: { $0.value >= 0x80 }) {
      var bare = String.UnicodeScalarView()
      for scalar in String(scalars).decomposedStringWithCanonicalMapping.unicodeScalars
      where classes[Int(scalar.value)] != Self.accent { bare.append(scalar) }
      scalars = bare
    }
    guard options.lowercases else { return String(scalars) }
    var lower = String.UnicodeScalarView()
    for scalar in scalars {
      if scalar.value < 0x80 {
        lower.append((0x41...0x5A).contains(scalar.value) ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar)
      } else {
        lower.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
      }
    }
    return String(lower)
  }

  /// The longest piece at each position, from the left; the word is unknown if a position has none.
  private func append(_ word: [UInt8], characters: Int, to output: inout [UInt32]) {
    guard characters <= options.longestWord else {
      output.append(unknown)
      return
    }
    let before = output.count
    let prefix = Array(options.continuation.utf8)
    var start = 0
    while start < word.count {
      var found: UInt32?
      var end = min(word.count, start + longestPiece)
      while end > start {
        // Pieces end at character boundaries.
        if end == word.count || word[end] & 0xC0 != 0x80 {
          let piece = start == 0 ? Array(word[..<end]) : prefix + word[start..<end]
          if let index = map.find(piece) {
            found = ids[index]
            break
          }
        }
        end -= 1
      }
      guard let found else {
        output.removeSubrange(before...)
        output.append(unknown)
        return
      }
      output.append(found)
      start = end
    }
  }
}
