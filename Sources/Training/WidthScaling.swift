/// Maximal update parametrization (muP) for Adam (Yang et al. 2203.03466, table 8): one learning rate for all widths.
///
/// The table's multipliers are folded into the weights, so that the model is a plain Llama at every step. Under Adam this trains the same
/// model (Lemma J.1 there: a multiplier m is equivalent to m times the weight at m times the learning rate):
///
/// - Matrices of the layers: initial standard deviation 1/√fan-in, learning rate · base / width.
/// - Embedding and output matrix: standard deviation and learning rate do not depend on the width. The output multiplier base / width is
///   the initial gain of the final norm, and a factor on its learning rate.
/// - Attention is scaled by 1/d instead of 1/√d, equal at the base head width: a factor √(base head / head) in the query matrix, or with
///   QK-norm in the gain of the queries.
/// - Weight decay: learning rate · weight decay is the same at every width.
struct WidthScaling {
  /// base / width
  private let ratio: Double
  /// √(base head / head)
  private let query: Double
  private let normalizesQueries: Bool

  /// - Parameter baseWidth: nil for the standard parametrization.
  init(_ model: ModelConfiguration, baseWidth: Int?, baseHeadWidth: Int?) {
    ratio = baseWidth.map { Double($0) / Double(model.width) } ?? 1
    query = baseWidth == nil ? 1 : baseHeadWidth.map { (Double($0) / Double(model.headWidth)).squareRoot() } ?? 1
    normalizesQueries = model.qkNorm
  }

  /// The factor on the initial values of a tensor.
  func multiplier(_ tensor: ParameterLayout.Tensor) -> Double {
    if tensor.name == ParameterLayout.finalNormName { return ratio }
    if tensor.name.contains(normalizesQueries ? ".q_norm." : ".q_proj.") { return query }
    return 1
  }

  /// The factor on the learning rate of a tensor.
  func rate(_ tensor: ParameterLayout.Tensor) -> Double { multiplier(tensor) * (tensor.decays ? ratio : 1) }
}
