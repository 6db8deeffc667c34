import Foundation
import Primitives

/// Files of runs: JSON Lines, one `PlanRun` a line, blank lines between them allowed.
package enum PlanRuns {
  /// Reads a file of runs.
  /// - Parameter path: JSON Lines.
  /// - Throws: `WeirError` with the line and the member where a line is no run, or where there is none at all.
  package static func read(_ path: String) throws -> [PlanRun] {
    let bytes: Data
    do {
      bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw WeirError(path, "can't be read", remedy: "give a file of runs, JSON Lines")
    }
    return try parse([UInt8](bytes), path: path)
  }

  /// Reads runs from bytes.
  /// - Parameters:
  ///   - bytes: JSON Lines.
  ///   - path: named in errors.
  package static func parse(_ bytes: [UInt8], path: String) throws -> [PlanRun] {
    var runs: [PlanRun] = []
    let decoder = JSONDecoder()
    for (index, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      guard line.contains(where: { $0 != 32 && $0 != 9 && $0 != 13 }) else { continue }
      let place = "\(path):\(index + 1)"
      let run: PlanRun
      do {
        run = try decoder.decode(PlanRun.self, from: Data(line))
      } catch {
        throw WeirError(place, reason(error), remedy: "a run is {\"n\": …, \"d\": …, \"d_prime\": …, \"domain\": …, \"loss\": …}")
      }
      if let problem = run.problem { throw WeirError(place, problem) }
      runs.append(run)
    }
    guard !runs.isEmpty else { throw WeirError(path, "holds no runs", remedy: "make some with weir plan sweep") }
    return runs
  }

  /// The runs as JSON Lines, members in alphabetical order.
  package static func serialize(_ runs: [PlanRun]) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try runs.flatMap { [UInt8](try encoder.encode($0)) + [10] }
  }

  /// The mean over domains at every (N, D, D′) that all domains share, as runs of domain "all"; seeds are averaged first.
  /// - Returns: the means, in order of N, D, D′; the unique tokens are the mean where every domain gives them.
  package static func means(_ runs: [PlanRun]) -> [PlanRun] {
    struct Key: Hashable {
      var n: Double
      var d: Double
      var dPrime: Double
    }
    let parts = runs.filter { $0.domain != PlanRun.mean }
    let domains = Set(parts.map(\.domain))
    guard domains.count > 1 else { return [] }
    let means = Dictionary(grouping: parts) { Key(n: $0.n, d: $0.d, dPrime: $0.dPrime) }.compactMap { key, runs -> PlanRun? in
      let byDomain = Dictionary(grouping: runs, by: \.domain)
      guard byDomain.count == domains.count else { return nil }
      let losses = byDomain.keys.sorted().map { domain in
        Statistics.mean((byDomain[domain] ?? []).sorted(by: PlanRun.precedes).map(\.loss))
      }
      let uniques = byDomain.values.compactMap { $0[0].unique }
      let unique = uniques.count == domains.count ? uniques.sorted().reduce(0, +) / Double(uniques.count) : nil
      return PlanRun(
        model: runs.map(\.model).min() ?? "", n: key.n, d: key.d, dPrime: key.dPrime, unique: unique,
        loss: Statistics.mean(losses))
    }
    return means.sorted(by: PlanRun.precedes)
  }

  private static func reason(_ error: any Error) -> String {
    func member(_ context: DecodingError.Context) -> String {
      context.codingPath.last.map { "member \"\($0.stringValue)\"" } ?? "the line"
    }
    switch error {
    case DecodingError.keyNotFound(let key, _): return "member \"\(key.stringValue)\" is missing"
    case DecodingError.typeMismatch(_, let context):
      return context.codingPath.isEmpty ? "is no JSON object" : "\(member(context)) is of the wrong kind"
    case DecodingError.valueNotFound(_, let context): return "\(member(context)) is null"
    case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
      return "\(member(context)) is out of range"
    default: return "is no JSON"
    }
  }
}
