import Primitives

/// What a bootstrap resamples: trunks or, where there are few, training runs. Evaluations of one run do not err independently, and resampling
/// them would give intervals that are too narrow.
struct RunClusters: Sendable {
  /// Indices of runs, by cluster.
  let members: [[Int]]
  private let unit: String

  /// The fewest trunks whose resamples say something about their spread.
  static let fewest = 8

  init(_ runs: [MeasuredRun]) {
    func group(_ key: (MeasuredRun) -> String?) -> [[Int]] {
      var places: [String: Int] = [:]
      var members: [[Int]] = []
      for (index, run) in runs.enumerated() {
        if let name = key(run), let place = places[name] {
          members[place].append(index)
        } else {
          if let name = key(run) { places[name] = members.count }
          members.append([index])
        }
      }
      return members
    }
    let trunks = group(\.root), trajectories = group(\.trajectory)
    if trunks.count >= Self.fewest {
      (members, unit) = (trunks, trunks.count == runs.count ? "runs" : "trunks")
    } else if trajectories.count >= Self.fewest {
      (members, unit) = (trajectories, "runs of \(trunks.count) trunks")
    } else {
      (members, unit) = (runs.indices.map { [$0] }, "evaluations of \(trajectories.count) runs")
    }
  }

  var description: String { "\(members.count) \(unit)" }

  /// A caveat where trunks are too few.
  var note: String? {
    unit.contains(" of ") ? "the intervals resample \(description), too few to resample themselves; they are too narrow" : nil
  }

  /// The weights of the runs in a replicate.
  func weights(_ weights: [Double], seed: UInt64, replicate: Int) -> [Double] {
    var resampled = [Double](repeating: 0, count: weights.count)
    for cluster in Statistics.resample(members.count, seed: seed, replicate: replicate) {
      for run in members[cluster] { resampled[run] += weights[run] }
    }
    return resampled
  }
}
