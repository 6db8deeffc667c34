/// What searches and sweeps vary of a method.
extension FinetuneConfiguration {
  /// Selects one method by its name, or several joined by commas.
  /// - Returns: false if one of them does not exist.
  package mutating func setMethod(_ names: String) -> Bool {
    let parts = names.split(separator: ",", omittingEmptySubsequences: false)
    let methods = parts.compactMap { MethodSettings.Method(rawValue: String($0)) }
    guard methods.count == parts.count else { return false }
    strategy.methods = methods
    return true
  }

  /// The setting that trades target gain for forgetting: that of the first of these methods, else the rank of an adapter; nil for none.
  private var strengthPath: WritableKeyPath<MethodSettings, Double>? {
    let own: [(MethodSettings.Method, WritableKeyPath<MethodSettings, Double>)] = [
      (.anneal, \.lambda), (.asft, \.asftAlpha), (.l2, \.l2), (.ewc, \.ewc),
    ]
    return own.first { strategy.uses($0.0) }?.1
  }

  /// Whether the strength is the rank of an adapter.
  var isStrengthRank: Bool { strengthPath == nil && strategy.uses(.lora) }

  /// The method's own strength, such as the λ of label annealing; nil for a method without one.
  package var strength: Double? {
    get { strengthPath.map { strategy[keyPath: $0] } ?? (strategy.uses(.lora) ? Double(strategy.lowRank.rank) : nil) }
    set {
      guard let newValue else { return }
      if let strengthPath {
        strategy[keyPath: strengthPath] = newValue
      } else if strategy.uses(.lora) {
        strategy.lowRank.rank = Int(newValue.rounded())
      }
    }
  }
}
