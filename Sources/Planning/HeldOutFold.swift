import Primitives

/// A split of the runs: a law is fitted to the smaller ones and predicts the largest.
struct HeldOutFold: Sendable {
  let axis: String
  let fitted: [MeasuredRun]
  let predicted: [MeasuredRun]

  /// The fewest runs that a fold fits.
  static let fewest = 6
  /// Shares of the runs that an axis and the compute hold out, at least.
  static let share = 0.1, computeShare = 0.2

  private struct Axis {
    let name: String
    let share: Double
    let key: (MeasuredRun) -> Double
    /// The lowest value held out.
    var threshold = Double.infinity

    init(_ name: String, _ share: Double, _ key: @escaping (MeasuredRun) -> Double) {
      (self.name, self.share, self.key) = (name, share, key)
    }
  }

  /// The folds that the runs allow: the runs with the largest N, D and D′, those with the most compute, and in one more fold those that are the
  /// largest on every axis, which are predicted from those that are the largest on none. An axis needs at least three values; of these, as many
  /// of the largest are held out as have a tenth of the runs (a fifth for the compute), so long as two remain.
  static func all(of runs: [MeasuredRun]) -> [HeldOutFold] {
    let axes = [
      Axis("N", share) { $0.n }, Axis("D", share) { $0.d }, Axis("D′", share) { $0.dPrime }, Axis("compute", computeShare) { $0.compute },
    ]
    let usable = axes.compactMap { axis -> Axis? in
      let values = Set(runs.map(axis.key)).sorted()
      guard values.count >= 3 else { return nil }
      var axis = axis
      for value in values.dropFirst(2).reversed() {
        axis.threshold = value
        if Double(runs.count { axis.key($0) >= value }) >= axis.share * Double(runs.count) { break }
      }
      return axis
    }
    var folds = usable.map { axis in
      HeldOutFold(
        axis: axis.name, fitted: runs.filter { axis.key($0) < axis.threshold }, predicted: runs.filter { axis.key($0) >= axis.threshold })
    }
    let corner = usable.filter { $0.name != "compute" }
    if corner.count > 1 {
      folds.append(
        HeldOutFold(
          axis: corner.map(\.name).joined(separator: ", "), fitted: runs.filter { run in corner.allSatisfy { $0.key(run) < $0.threshold } },
          predicted: runs.filter { run in corner.allSatisfy { $0.key(run) >= $0.threshold } }))
    }
    return folds.filter { $0.fitted.count >= fewest && !$0.predicted.isEmpty && Set($0.fitted.map(\.n)).count > 1 }
  }

  /// The mean relative error of predicting the median of the fitted losses; a law should be well below it.
  var naiveError: Double {
    let middle = Statistics.quantile(fitted.map(\.loss), 0.5)
    return Statistics.meanRelativeError(measured: predicted.map(\.loss), predicted: predicted.map { _ in middle })
  }
}
