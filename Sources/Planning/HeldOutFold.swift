/// A split of the runs: a law is fitted to the smaller ones and predicts the largest.
struct HeldOutFold: Sendable {
  let axis: String
  let fitted: [MeasuredRun]
  let predicted: [MeasuredRun]

  /// The fewest runs that a fold fits; the priors determine what so few leave open.
  static let fewest = 6

  /// The folds that the runs allow. Per axis (N, D, D′), the runs at its largest value are predicted from all others; in one more fold, the runs
  /// that are the largest on every axis are predicted from those that are the largest on none. An axis needs at least three values.
  static func all(of runs: [MeasuredRun]) -> [HeldOutFold] {
    let axes: [(name: String, key: @Sendable (MeasuredRun) -> Double)] = [("N", { $0.n }), ("D", { $0.d }), ("D′", { $0.dPrime })]
    let usable = axes.compactMap { axis -> (name: String, key: @Sendable (MeasuredRun) -> Double, largest: Double)? in
      let values = Set(runs.map(axis.key)).sorted()
      return values.count >= 3 ? (axis.name, axis.key, values[values.count - 1]) : nil
    }
    var folds = usable.map { axis in
      HeldOutFold(
        axis: axis.name, fitted: runs.filter { axis.key($0) < axis.largest }, predicted: runs.filter { axis.key($0) == axis.largest })
    }
    if usable.count > 1 {
      folds.append(
        HeldOutFold(
          axis: usable.map(\.name).joined(separator: ", "), fitted: runs.filter { run in usable.allSatisfy { $0.key(run) < $0.largest } },
          predicted: runs.filter { run in usable.allSatisfy { $0.key(run) == $0.largest } }))
    }
    return folds.filter { $0.fitted.count >= fewest && !$0.predicted.isEmpty && Set($0.fitted.map(\.n)).count > 1 }
  }
}
