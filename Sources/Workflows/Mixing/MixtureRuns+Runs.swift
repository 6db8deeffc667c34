import Planning
import Primitives
import Storage
import Training

extension MixtureRuns {
  /// Reads mixtures with the final losses of the training runs of their names in a folder.
  package static func read(ratios: String, runs folder: String, wanted: [String]? = nil) throws -> (runs: MixtureRuns, notes: [String]) {
    var runs = try MixtureRuns(ratios: ratios)
    var losses: [String: [String: Double]] = [:]
    for name in runs.names where Files.exists(RunFolder("\(folder)/\(name)").report) {
      let report = try JSONFile.read(TrainingReport.self, from: RunFolder("\(folder)/\(name)").report)
      losses[name] = Dictionary(report.final.map { ($0.name, $0.result.loss) }, uniquingKeysWith: { first, _ in first })
    }
    let known = Set(losses.values.flatMap(\.keys))
    guard !known.isEmpty else {
      throw WeirError(folder, "has no finished run of \(ratios) with held-out losses", remedy: "train them with --valid")
    }
    if let other = wanted?.first(where: { !known.contains($0) }) {
      throw WeirError(
        "metrics", "no run has a held-out file \"\(other)\"", remedy: "name some of \(known.sorted().joined(separator: ", "))")
    }
    runs.metrics = wanted ?? known.sorted()
    runs.values = runs.names.map { name in runs.metrics.map { losses[name]?[$0] } }
    let unfinished = runs.names.count { losses[$0] == nil }
    let kept = runs.names.indices.filter { losses[runs.names[$0]] != nil }
    return (runs.subset(kept), unfinished > 0 ? ["\(unfinished) runs have not finished, or have no held-out losses"] : [])
  }
}
