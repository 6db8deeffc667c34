import Primitives

/// The loss of one domain at one model size as a function of D and D′, with repeated tokens discounted (`Repetition`).
struct LawCurve: Sendable {
  let law: any Law
  let values: [Double]
  let repetition: Double
  let n: Double
  let unique: Double?
}

extension LawCurve {
  init(_ fit: LawFit, n: Double, unique: Double?) throws {
    try self.init(checking: Laws.named(fit.law), values: fit.values, repetition: fit.repetition, n: n, unique: unique)
  }

  /// Throws `WeirError` where `values` are not the parameters of the law.
  init(checking law: any Law, values: [Double], repetition: Double, n: Double, unique: Double?) throws {
    // A report read from a file may contain anything.
    guard !law.takesMixture else {
      throw WeirError(
        "law", "\(law.id) is a law of mixtures, which has no D′", remedy: "predict mixtures with `weir plan predict`")
    }
    guard values.count == law.parameterNames().count, values.allSatisfy(\.isFinite), repetition > 0 else {
      throw WeirError(
        "fit", "law \(law.id) needs \(law.parameterNames().count) finite parameters, not \(values)", remedy: "run `weir plan fit` again")
    }
    self.init(law: law, values: values, repetition: repetition, n: n, unique: unique)
  }

  /// The loss, nats/token.
  func loss(_ d: Double, _ dPrime: Double) -> Double { value(d, dPrime).loss }

  /// The loss and its derivatives with respect to trained (not effective) tokens.
  func value(_ d: Double, _ dPrime: Double) -> LawValue {
    let effective = Repetition.effective(dPrime, unique: unique, constant: repetition)
    var value = law.value(values, at: LawPoint(n: n, d: d, dPrime: effective.tokens, trained: dPrime))
    value.byDPrime = value.byDPrime * effective.byTokens + value.byTrained
    value.byTrained = 0
    return value
  }
}
