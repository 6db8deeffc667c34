import Foundation
import Primitives
import Storage

/// JSON Lines of measured runs: one `MeasuredRun` per line.
package enum MeasuredRuns {
  /// JSON Lines with sorted members.
  package static func serialize(_ runs: [MeasuredRun]) throws -> [UInt8] { try runs.flatMap { try JSONFile.encode($0) + [10] } }

  /// The mean loss over domains at every (N, D, D′) that all domains have, as runs of the domain "all". Runs that differ in their seed are
  /// averaged first, and so are the unique tokens where every domain gives them.
  /// - Returns: the means, sorted by N, D, D′.
  package static func means(_ runs: [MeasuredRun]) -> [MeasuredRun] {
    let parts = runs.filter { $0.domain != MeasuredRun.mean && $0.mixture == nil }
    let domains = Set(parts.map(\.domain))
    guard domains.count > 1 else { return [] }
    let means = Dictionary(grouping: parts) { [$0.n, $0.d, $0.dPrime] }.compactMap { point, runs -> MeasuredRun? in
      let byDomain = Dictionary(grouping: runs, by: \.domain)
      guard byDomain.count == domains.count else { return nil }
      let losses = byDomain.keys.sorted().map { domain in
        Statistics.mean((byDomain[domain] ?? []).sorted(by: MeasuredRun.precedes).map(\.loss))
      }
      let uniques = byDomain.values.compactMap { $0[0].unique }
      let unique = uniques.count == domains.count ? uniques.sorted().reduce(0, +) / Double(uniques.count) : nil
      var mean = MeasuredRun(
        model: runs.map(\.model).min() ?? "", n: point[0], d: point[1], dPrime: point[2], unique: unique, loss: Statistics.mean(losses))
      // A branch of every domain ends at this point: together they count as one run.
      mean.trunk = runs.compactMap(\.trunk).min()
      mean.flops = runs.compactMap(\.flops).min()
      return mean
    }
    return means.sorted(by: MeasuredRun.precedes)
  }
}
