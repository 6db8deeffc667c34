import Pipeline
import Primitives

/// Special tokens in texts, such as chat markers, that were encoded as plain text: the model then sees something else than the token.
struct PlainSpecials {
  private var tokens = 0
  private var texts = 0

  /// Counts the special tokens of a text.
  mutating func add(_ count: Int) {
    tokens += count
    texts += count > 0 ? 1 : 0
  }

  /// Warns if there are any.
  /// - Parameter place: where the texts come from.
  func note(_ place: String, _ progress: Progress) {
    guard tokens > 0 else { return }
    func count(_ number: Int, _ noun: String) -> String { "\(Format.count(number)) \(noun)\(number == 1 ? "" : "s")" }
    progress.note(
      "warning: \(place): encoded \(count(tokens, "special token")) in \(count(texts, "text")) as plain text; "
        + "--allow-special encodes them as tokens")
  }
}
