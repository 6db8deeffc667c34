import Primitives
import Tokenization
import Training

/// What a model is trained on in an example: its text, with the tokens that the loss covers.
package struct ExamplePreview: Codable, Sendable, Equatable {
  package var origin: String
  package var tokens: [Int32]
  /// Ranges of tokens that the loss covers, each its first and the one after its last.
  package var trained: [[Int]]
  /// The parts of the text, in turn without and with loss, starting without.
  package var parts: [String]

  /// Previews of the first examples.
  package static func first(_ count: Int, of examples: [EncodedExample], _ tokenizer: Tokenizer) -> [ExamplePreview] {
    examples.prefix(count).map { encoded in
      let example = encoded.example
      let bounds = [0] + example.trained.flatMap { [$0.lowerBound, $0.upperBound] } + [example.tokens.count]
      let parts = zip(bounds, bounds.dropFirst()).map { start, end in
        let bytes = example.tokens[start..<end].flatMap { tokenizer.bytes(of: UInt32(bitPattern: $0)) }
        return String(decoding: bytes, as: UTF8.self)
      }
      return ExamplePreview(
        origin: encoded.origin, tokens: example.tokens, trained: example.trained.map { [$0.lowerBound, $0.upperBound] }, parts: parts)
    }
  }

  /// Lines for the user: the text, with what the loss covers in brackets.
  package var lines: [String] {
    let covered = trained.reduce(0) { $0 + $1[1] - $1[0] }
    let text = parts.enumerated().map { $0 % 2 == 1 ? "⟦\($1)⟧" : $1 }.joined()
    return ["\(origin): \(Format.count(tokens.count)) tokens, \(Format.count(covered)) trained"]
      + text.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
  }
}
