/// Maximal update parametrisation for Adam (Yang et al. 2203.03466, table 8), so that one learning rate serves all widths.
///
/// The table's multipliers are folded into the weights, which changes nothing about what is learnt under Adam (its Lemma J.1: a weight m
/// times as large that learns at m times the rate behaves like a multiplier m), so that a model is a plain Llama at every step:
///
/// - matrices of the layers: deviation 1/√fan-in, rate · base / width;
/// - embeddings: deviation and rate of their own, whatever the width; the output matrix the same, with the output multiplier
///   base / width as the gain of the final norm, which learns at that rate too;
/// - attention 1/d instead of 1/√d, equal at the base: √(base head / head) more in the query matrix, or in the gain of the query norm where
///   there is one;
/// - weight decay: rate · decay of a step is the same at every width.
struct WidthScaling {
  /// base / width.
  private let ratio: Double
  /// √(base head / head).
  private let query: Double
  private let normalisesQueries: Bool

  /// Without `baseWidth`, the standard parametrisation.
  init(_ model: ModelConfiguration, baseWidth: Int?, baseHeadWidth: Int?) {
    ratio = baseWidth.map { Double($0) / Double(model.width) } ?? 1
    query = baseWidth == nil ? 1 : baseHeadWidth.map { (Double($0) / Double(model.headWidth)).squareRoot() } ?? 1
    normalisesQueries = model.qkNorm
  }

  /// What the first values of a tensor are multiplied by.
  func multiplier(_ tensor: ParameterLayout.Tensor) -> Double {
    if tensor.name == ParameterLayout.finalNormName { return ratio }
    if tensor.name.hasSuffix(normalisesQueries ? "q_norm.weight" : "q_proj.weight") { return query }
    return 1
  }

  /// The factor of the learning rate of a tensor.
  func rate(_ tensor: ParameterLayout.Tensor) -> Double { multiplier(tensor) * (tensor.decays ? ratio : 1) }
}
