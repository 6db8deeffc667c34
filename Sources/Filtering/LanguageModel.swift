import CKernels
import Foundation

/// Language identification by a linear model on n-grams, words and scripts (`language.c`), trained by `scripts/languages`.
///
/// The model also has classes for many languages that it does not name. A text in one of these, without letters, or unlike all classes is undetermined (`und`).
/// The accuracy is in `docs/decisions/005-language-identification.md`.
package enum LanguageModel {
  package struct Answer: Sendable, Equatable {
    /// ISO 639 code, of two letters where there is one, or `und` for undetermined.
    package var language: String
    /// Probability, 0…1; 0 for `und`.
    package var score: Double

    fileprivate static let undetermined = Answer(language: "und", score: 0)
  }

  private static let classes: [String] = (0..<weir_language_classes()).map { String(cString: weir_language_code($0)) }

  /// Codes of the languages that the model names, sorted.
  package static let languages = Set(classes).subtracting(["und"]).sorted()

  /// The language of each class as an index into `languages`; the last index is that of `und`.
  private static let languageOfClass = classes.map { languages.firstIndex(of: $0) ?? languages.count }

  /// Bytes to read in each of this many places.
  private static let window = 256
  private static let windows = 5

  /// Minimum probability of the two likeliest languages together. Two close relatives may share it, as Croatian and Bosnian do; a text in a language that
  /// the model has not learned spreads it over many.
  private static let minimumProbability = 0.7

  /// The language of a text, in constant time.
  package static func language(of text: [UInt8]) -> Answer {
    var sums = [Int32](repeating: 0, count: Int(WEIR_LANGUAGE_DIMENSION))
    var features = 0
    text.withUnsafeBufferPointer { text in
      func add(_ range: Range<Int>) {
        guard let start = text.baseAddress else { return }
        features += weir_language_sums(start + range.lowerBound, range.count, &sums)
      }
      if text.count <= Self.window * Self.windows { return add(0..<text.count) }
      for place in 0..<Self.windows {
        var low = (text.count - Self.window) / (Self.windows - 1) * place
        // Skip the rest of a character that began before.
        while low < text.count, text[low] & 0xC0 == 0x80 { low += 1 }
        add(low..<min(low + Self.window, text.count))
      }
    }
    guard features > 0 else { return .undetermined }
    var logits = [Float](repeating: 0, count: classes.count)
    weir_language_logits(sums, features, &logits)
    let highest = logits.max() ?? 0
    var probabilities = [Double](repeating: 0, count: languages.count + 1)
    for (logit, language) in zip(logits, languageOfClass) { probabilities[language] += exp(Double(logit - highest)) }
    let total = probabilities.reduce(0, +)
    let ranked = languages.indices.sorted { (probabilities[$1], $0) < (probabilities[$0], $1) }
    guard probabilities[ranked[0]] + probabilities[ranked[1]] >= minimumProbability * total else { return .undetermined }
    return Answer(language: languages[ranked[0]], score: probabilities[ranked[0]] / total)
  }
}
