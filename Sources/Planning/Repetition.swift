import Foundation
import Primitives

/// Tokens that repeat are worth less: D′_eff = U + U·R*·(1 − exp(−(D′/U − 1)/R*)) for D′ above the unique tokens U
/// (Muennighoff et al. 2305.16264, section 3).
package enum Repetition {
  /// R* of the paper: the number of repeats after which 1 − 1/e of all the worth is had.
  package static let standard = 15.4

  /// The effective tokens and their slopes.
  /// - Parameters:
  ///   - tokens: D′ as trained.
  ///   - unique: U, above 0; nil where tokens never repeat.
  ///   - constant: R*, above 0.
  /// - Returns: D′_eff, ∂D′_eff/∂D′, ∂D′_eff/∂R*.
  package static func effective(
    _ tokens: Double, unique: Double?, constant: Double
  ) -> (tokens: Double, byTokens: Double, byConstant: Double) {
    guard let unique, tokens > unique else { return (tokens, 1, 0) }
    let repeats = tokens / unique - 1
    let left = exp(-repeats / constant)
    let worth = -expm1(-repeats / constant)
    return (unique + unique * constant * worth, left, unique * (worth - left * repeats / constant))
  }
}

func unknownLaw(_ id: String, _ place: String) -> WeirError {
  WeirError(place, "no law is called \"\(id)\"", remedy: "use one of \(Laws.all.map(\.id).joined(separator: ", "))")
}
