import Foundation

/// The diminishing worth of repeated tokens.
///
///     D′_eff = U + U·R*·(1 − exp(−(D′/U − 1)/R*))    for D′ > U, otherwise D′
///
/// - D′: specialization tokens as trained.
/// - U: unique tokens among them.
/// - R*: repetitions after which repeated tokens have given 1 − 1/e of all that they can give.
///
/// Source: Muennighoff et al. 2023 (arXiv 2305.16264, section 3).
package enum Repetition {
  /// R* as fitted in the paper.
  package static let standard = 15.4

  /// The effective tokens and their derivatives.
  /// - Parameters:
  ///   - tokens: D′.
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
