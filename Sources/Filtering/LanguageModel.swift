import CKernels
import Foundation
import Primitives

/// Language identification by character n-grams (`language.c`): a logistic regression on the mean of hashed n-grams, in eight bits.
///
/// Long texts are sampled in a few places. A text without letters, or mostly in scripts of no known language, is undetermined (`und`).
package final class LanguageModel: Sendable {
  package struct Answer: Sendable, Equatable {
    /// ISO 639-1 code, or `und` for undetermined.
    package var language: String
    /// Probability, 0…1.
    package var score: Double
  }

  /// Codes of the known languages, sorted.
  package let languages: [String]
  private let bits: Int32
  private let scale: Double
  private let biases: [Double]
  /// [1 << bits, 64]
  private let weights: [Int8]

  /// Trained by `scripts/languages`; its accuracy is in `docs/decisions/005-language-identification.md`.
  package static let builtIn: LanguageModel = {
    do { return try LanguageModel(builtInBytes, path: "built-in language model") } catch { preconditionFailure("\(error)") }
  }()

  package static var builtInBytes: [UInt8] {
    var count = 0
    let text = UnsafeBufferPointer(start: weir_language_model(&count), count: count)
    return Array(Data(base64Encoded: Data(text.lazy.map { UInt8(bitPattern: $0) })) ?? Data())
  }

  private static let magic = Array("WEIRLANG".utf8)

  /// Reads a model: `WEIRLANG`, then little-endian version 1, log₂ of the buckets and the number of languages (u32), the weights' scale (f32), for each
  /// language its code (8 bytes, filled with zeros) and bias (f32), weights [buckets, languages] (i8), and FNV-1a of all that (u64).
  /// - Throws: `WeirError` for anything else.
  package init(_ bytes: [UInt8], path: String) throws {
    func fail(_ reason: String) -> WeirError { WeirError(path, reason, remedy: "use a model written by scripts/languages") }
    func number(_ offset: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) } }
    guard bytes.starts(with: Self.magic), bytes.count >= 24 else { throw fail("is not a language model") }
    guard number(8) == 1 else { throw fail("a language model of version \(number(8)), not 1") }
    let (bits, count) = (Int(number(12)), Int(number(16)))
    guard (4...20).contains(bits), (2...Int(WEIR_LANGUAGES)).contains(count) else { throw fail("\(count) languages, 2^\(bits) buckets") }
    let start = 24 + 12 * count
    let end = start + count << bits
    guard bytes.count == end + 8 else { throw fail("\(bytes.count) bytes where a model of \(count) languages has \(end + 8)") }
    let sum = bytes[..<end].reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    guard sum == UInt64(number(end)) | UInt64(number(end + 4)) << 32 else { throw fail("wrong checksum: the file is damaged") }
    var languages: [String] = []
    var biases: [Double] = []
    for index in 0..<count {
      let at = 24 + 12 * index
      languages.append(String(decoding: bytes[at..<at + 8].prefix { $0 != 0 }, as: UTF8.self))
      biases.append(Double(Float(bitPattern: number(at + 8))))
    }
    let scale = Double(Float(bitPattern: number(20)))
    guard scale.isFinite, biases.allSatisfy(\.isFinite), languages == Set(languages).sorted() else {
      throw fail("the weights contain NaN/Inf")
    }
    var weights = [Int8](repeating: 0, count: Int(WEIR_LANGUAGES) << bits)
    for bucket in 0..<1 << bits {
      for index in 0..<count { weights[bucket * Int(WEIR_LANGUAGES) + index] = Int8(bitPattern: bytes[start + bucket * count + index]) }
    }
    self.bits = Int32(bits)
    self.languages = languages
    self.scale = scale
    self.biases = biases
    self.weights = weights
  }

  /// Bytes to read in each of this many places.
  private static let window = 256
  private static let windows = 5

  /// The language of a text, in constant time.
  package func language(of text: [UInt8]) -> Answer {
    var sums = [Int32](repeating: 0, count: Int(WEIR_LANGUAGES))
    var counts = [0, 0, 0]
    text.withUnsafeBufferPointer { text in
      func add(_ range: Range<Int>) {
        guard let start = text.baseAddress else { return }
        weir_language_sums(weights, bits, start + range.lowerBound, range.count, &sums, &counts)
      }
      if text.count <= Self.window * Self.windows { return add(0..<text.count) }
      for place in 0..<Self.windows {
        var low = (text.count - Self.window) / (Self.windows - 1) * place
        // Skip the rest of a character that began before.
        while low < text.count, text[low] & 0xC0 == 0x80 { low += 1 }
        add(low..<min(low + Self.window, text.count))
      }
    }
    let (grams, letters, others) = (counts[0], counts[1], counts[2])
    guard letters > 0, 2 * others <= letters else { return Answer(language: "und", score: 0) }
    let logits = languages.indices.map { Double(sums[$0]) * scale / Double(grams) + biases[$0] }
    let best = logits.indices.reduce(0) { logits[$1] > logits[$0] ? $1 : $0 }
    return Answer(language: languages[best], score: 1 / logits.reduce(0) { $0 + exp($1 - logits[best]) })
  }
}
