import Primitives

/// A split of runs into the smaller, to be fitted, and the largest, to be predicted.
struct HeldOutFold: Sendable {
  let axis: String
  let fitted: [PlanRun]
  let predicted: [PlanRun]

  /// The fewest runs worth fitting; the priors carry what they leave open.
  static let fewest = 6

  /// The folds that the runs allow: the largest N, the largest D, the largest D′, each predicted from all below; and the
  /// runs at the largest of all three, from those below on every axis. An axis needs two values below its largest.
  static func all(of runs: [PlanRun]) -> [HeldOutFold] {
    let axes: [(name: String, key: @Sendable (PlanRun) -> Double)] = [("N", { $0.n }), ("D", { $0.d }), ("D′", { $0.dPrime })]
    let usable = axes.compactMap { axis -> (name: String, key: @Sendable (PlanRun) -> Double, largest: Double)? in
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
          axis: usable.map(\.name).joined(separator: ", "),
          fitted: runs.filter { run in usable.allSatisfy { $0.key(run) < $0.largest } },
          predicted: runs.filter { run in usable.allSatisfy { $0.key(run) == $0.largest } }))
    }
    return folds.filter { $0.fitted.count >= fewest && !$0.predicted.isEmpty && Set($0.fitted.map(\.n)).count > 1 }
  }
}
