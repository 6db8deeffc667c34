/// What searches and sweeps vary of a method.
extension FinetuneConfiguration {
  /// Selects a method by its name.
  /// - Returns: false if there is no such method.
  package mutating func setMethod(_ name: String) -> Bool {
    guard let method = Method(rawValue: name) else { return false }
    self.method = method
    return true
  }

  /// The method's own strength, such as the λ of label annealing; nil for a method without one.
  package var strength: Double? {
    get { method == .anneal ? lambda : nil }
    set { if let newValue, method == .anneal { lambda = newValue } }
  }
}
