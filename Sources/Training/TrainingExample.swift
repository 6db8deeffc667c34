/// A tokenized example with the tokens that the loss covers.
package struct TrainingExample: Sendable, Equatable {
  package var tokens: [Int32]
  /// The tokens to train on, in ascending order, not adjacent.
  package var trained: [Range<Int>]
  /// The first token of the completion, or of the last turn that is trained on; nil for a document. Documents may be divided into segments.
  package var completion: Int?
  /// Tokens at the beginning that stay where the prompt is truncated, such as the beginning of text.
  package var lead: Int

  package init(tokens: [Int32], trained: [Range<Int>], completion: Int?, lead: Int = 0) {
    (self.tokens, self.trained, self.completion, self.lead) = (tokens, trained, completion, lead)
  }

  /// A document, all of whose tokens are trained on.
  package init(document tokens: [Int32]) { self.init(tokens: tokens, trained: [0..<tokens.count], completion: nil) }

  /// The positions that have a target; nothing predicts the first token.
  package var targets: Int { trained.reduce(0) { $0 + $1.clamped(to: 1..<max(1, tokens.count)).count } }

  /// The example with a prompt in at most `length` tokens: without the beginning of the prompt, and where the completion alone is longer,
  /// without its end. One token before the completion always stays, since the loss on the completion needs it.
  package func truncated(to length: Int) -> TrainingExample {
    let removed = min(tokens.count - length, (completion ?? 0) - max(1, lead))
    guard removed > 0 || tokens.count > length else { return self }
    let start = max(0, removed), kept = min(lead, tokens.count)
    var result = self
    result.tokens = Array((tokens[..<kept] + tokens[(kept + start)...]).prefix(length))
    result.completion = completion.map { $0 - start }
    result.trained = trained.compactMap { range in
      let moved = [range.lowerBound, range.upperBound].map { min($0 < kept ? $0 : max(kept, $0 - start), result.tokens.count) }
      return moved[0] < moved[1] ? moved[0]..<moved[1] : nil
    }
    return result
  }
}
