import Foundation
import Primitives
import Storage

/// JSON Lines of measured runs: one `MeasuredRun` per line; blank lines are ignored.
package enum MeasuredRuns {
  /// Reads a file.
  /// - Throws: `WeirError` with the line and the member where a line is not a run, or where there are no runs.
  package static func read(_ path: String) throws -> [MeasuredRun] { try parse(Files.read(path), path: path) }

  /// Parses JSON Lines.
  /// - Parameters:
  ///   - bytes: the lines.
  ///   - path: the path for error messages.
  package static func parse(_ bytes: [UInt8], path: String) throws -> [MeasuredRun] {
    var runs: [MeasuredRun] = []
    let decoder = JSONDecoder()
    for (index, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      guard line.contains(where: { $0 != 32 && $0 != 9 && $0 != 13 }) else { continue }
      let place = "\(path):\(index + 1)"
      let run: MeasuredRun
      do { run = try decoder.decode(MeasuredRun.self, from: Data(line)) } catch {
        throw WeirError(place, reason(error), remedy: "expected {\"n\": …, \"d\": …, \"d_prime\": …, \"domain\": …, \"loss\": …}")
      }
      if let problem = run.problem { throw WeirError(place, problem) }
      runs.append(run)
    }
    guard !runs.isEmpty else { throw WeirError(path, "contains no runs", remedy: "create some with `weir plan sweep`") }
    return runs
  }

  /// JSON Lines with sorted members.
  package static func serialize(_ runs: [MeasuredRun]) throws -> [UInt8] { try runs.flatMap { try JSONFile.encode($0) + [10] } }

  /// The mean loss over domains at every (N, D, D′) that all domains have, as runs of the domain "all". Runs that differ in their seed are
  /// averaged first, and so are the unique tokens where every domain gives them.
  /// - Returns: the means, sorted by N, D, D′.
  package static func means(_ runs: [MeasuredRun]) -> [MeasuredRun] {
    let parts = runs.filter { $0.domain != MeasuredRun.mean }
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
      return MeasuredRun(
        model: runs.map(\.model).min() ?? "", n: point[0], d: point[1], dPrime: point[2], unique: unique, loss: Statistics.mean(losses))
    }
    return means.sorted(by: MeasuredRun.precedes)
  }

  private static func reason(_ error: any Error) -> String {
    func member(_ context: DecodingError.Context) -> String { context.codingPath.last.map { "member \"\($0.stringValue)\"" } ?? "the line" }
    switch error {
    case DecodingError.keyNotFound(let key, _): return "member \"\(key.stringValue)\" is missing"
    case DecodingError.typeMismatch(_, let context):
      return context.codingPath.isEmpty ? "is not a JSON object" : "\(member(context)) has the wrong type"
    case DecodingError.valueNotFound(_, let context): return "\(member(context)) is null"
    case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty: return "\(member(context)) is out of range"
    default: return "is not valid JSON"
    }
  }
}
