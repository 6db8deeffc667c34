import CKernels
import Filtering

/// Words and shapes of texts, for comparison.
enum WordForms {
  /// The words of a text, as the filters count them.
  static func words(_ text: String, level: Int32 = weir_simd_level()) -> [String] {
    var shape = TextShape()
    let bytes = Array(text.utf8)
    shape.measure(bytes, level: level)
    let counts = shape.counts
    return shape.words.indices.map { index in
      let (word, next) = (counts.words[index], counts.words[index + 1])
      let rest = String(decoding: bytes[Int(word.start)...], as: UTF8.self).unicodeScalars
      return String(String.UnicodeScalarView(rest.prefix(Int(next.before - word.before))))
    }
  }

  /// Counts, words, lines and rows of a text, for comparison.
  static func shape(_ bytes: [UInt8], level: Int32 = weir_simd_level()) -> [[UInt64]] {
    var shape = TextShape()
    shape.measure(bytes, level: level)
    let c = shape.counts
    let counts = [c.characters, c.newlines, c.hashes, c.ellipses, c.content_words, c.content_characters, c.letter_words, c.word_count]
    return [counts.map { UInt64($0) }] + shape.words.map { [$0.hash, UInt64($0.start), UInt64($0.before)] }
      + shape.lines.map { [$0.hash, UInt64($0.start), UInt64($0.end), UInt64($0.characters), UInt64($0.blank), UInt64($0.terminal)] }
      + shape.rows.map { row in [row.start, row.end, row.spans, row.last, row.longest, row.sentences].map { UInt64($0) } }
  }
}
