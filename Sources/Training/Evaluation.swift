import Foundation

/// The log-likelihood of one document, or of a part of it, under a model.
package struct EvaluationScore: Sendable, Equatable {
  /// −Σ ln p over the scored tokens.
  package var nats: Double
  /// Scored tokens.
  package var tokens: Int
  /// UTF-8 bytes of the text.
  package var bytes: Int

  package init(nats: Double = 0, tokens: Int = 0, bytes: Int = 0) {
    self.nats = nats
    self.tokens = tokens
    self.bytes = bytes
  }
}

/// The loss over a set of documents.
///
/// Standard errors are computed over documents, because the tokens of one document are not independent. Loss and bits per byte are ratios
/// of sums, r = Σ yᵢ / Σ xᵢ, with standard error √(n/(n−1) · Σ (yᵢ − r·xᵢ)²) / Σ xᵢ (Cochran, Sampling Techniques, §2.11). That of the
/// perplexity is e^loss times that of the loss.
package struct Evaluation: Codable, Sendable, Equatable {
  /// Mean −ln p per scored token, in nats/token.
  package var loss = 0.0
  /// e^loss.
  package var perplexity = 0.0
  /// −Σ ln p / (bytes · ln 2).
  package var bitsPerByte = 0.0
  /// Scored tokens.
  package var tokens = 0
  /// UTF-8 bytes of the documents.
  package var bytes = 0
  package var documents: Int?
  /// Standard error of the loss; nil for a single document.
  package var lossError: Double?
  package var perplexityError: Double?
  package var bitsPerByteError: Double?
  /// The evaluation of each domain.
  package var byDomain: [String: Evaluation]?
  /// The evaluation of each cluster of a tree.
  package var byCluster: [String: Evaluation]?

  enum CodingKeys: String, CodingKey {
    case loss, perplexity, tokens, bytes, documents
    case bitsPerByte = "bits_per_byte"
    case lossError = "loss_stderr"
    case perplexityError = "perplexity_stderr"
    case bitsPerByteError = "bits_per_byte_stderr"
    case byDomain = "by_domain"
    case byCluster = "by_cluster"
  }

  /// Aggregates scores, one per document.
  package init(_ scores: [EvaluationScore]) {
    let nats = scores.reduce(0.0) { $0 + $1.nats }
    tokens = scores.reduce(0) { $0 + $1.tokens }
    bytes = scores.reduce(0) { $0 + $1.bytes }
    documents = scores.count
    loss = tokens == 0 ? 0 : nats / Double(tokens)
    perplexity = min(exp(loss), Double.greatestFiniteMagnitude)
    bitsPerByte = bytes == 0 ? 0 : nats / (Double(bytes) * log(2))
    let count = Double(scores.count)
    guard count > 1 else { return }
    func error(_ ratio: Double, _ base: (EvaluationScore) -> Double) -> Double? {
      let total = scores.reduce(0.0) { $0 + base($1) }
      let squares = scores.reduce(0.0) { sum, score in
        let rest = score.nats - ratio * base(score)
        return sum + rest * rest
      }
      let result = (count / (count - 1) * squares).squareRoot() / total
      return result.isFinite ? result : nil
    }
    lossError = error(loss) { Double($0.tokens) }
    perplexityError = lossError.map { min($0 * perplexity, Double.greatestFiniteMagnitude) }
    bitsPerByteError = error(bitsPerByte * log(2)) { Double($0.bytes) }.map { $0 / log(2) }
  }
}
