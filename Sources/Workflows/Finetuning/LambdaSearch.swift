import Foundation
import Pipeline
import Primitives
import Storage
import Training

/// One run of a search for λ.
package struct LambdaTry: Codable, Sendable, Equatable {
  package var lambda: Double
  /// The largest rise of a judged source loss at the end of the run, in nats/token.
  package var rise: Double
  package var isWithin: Bool

  enum CodingKeys: String, CodingKey {
    case lambda, rise
    case isWithin = "within"
  }
}

extension RunReport.Finetuning {
  /// The result of a search for λ, in words; nil if there was none.
  package var searchSummary: String? {
    guard let search else { return nil }
    let tried = search.sorted { $0.lambda < $1.lambda }.map { "\(Format.significant($0.lambda)) (\(Format.fixed($0.rise, 3)))" }
    let end = search.contains(where: \.isWithin) ? "the smallest within the budget" : "none ends within the budget"
    return "λ \(Format.significant(lambda)), \(end); tried, with the judged rise: \(tried.joined(separator: ", "))"
  }
}

/// Searches the smallest λ whose last model is within the budget, by bisection of log λ. It takes for granted that a larger λ forgets less.
package enum LambdaSearch {
  /// The most runs of a search.
  package static let tries = 8
  /// The search starts at the λ of the configuration, and looks as far as this factor below and above it.
  private static let reach = 1_000.0
  /// The steps of the search before it has found a λ on either side of the budget.
  private static let stride = 10.0
  /// The bisection ends where the two are as close as this factor.
  private static let precision = 1.1

  /// Runs the search. Every try is a run of its own in `RUN/tries`, which a repeated command resumes; the chosen one becomes the run.
  static func run(_ job: FinetuneJob) throws -> RunReport {
    let configuration = job.configuration
    guard let budget = configuration.retention.budget else { throw WeirError("lambda", "auto needs a budget") }
    guard configuration.strategy.uses(.anneal) else {
      throw WeirError("lambda", "auto needs the method anneal, not \(configuration.strategy.name)")
    }
    let folder = RunFolder(configuration.output)
    var found: [LambdaTry] = []
    let chosen = try bisect(from: configuration.strategy.lambda) { lambda in
      var one = job
      one.configuration.strategy.lambda = lambda
      one.configuration.output = Self.folder(of: lambda, in: folder)
      one.progress = job.progress.phase("λ \(Format.significant(lambda))")
      let rise = try (one.run().training.changes ?? []).filter { $0.role == .judge }.map(\.rise).max() ?? .infinity
      found.append(LambdaTry(lambda: lambda, rise: rise, isWithin: rise <= budget))
      return rise <= budget
    }
    var final = job
    if let chosen {
      final.configuration.strategy.lambda = chosen
      let ranks = RankGroup(job.ranks)
      _ = try ranks.broadcast { () throws -> Bool in
        try folder.adopt(RunFolder(Self.folder(of: chosen, in: folder)))
        return true
      }
    } else {
      // No λ is within the budget at the end: the last model within it, with the largest λ.
      final.configuration.strategy.lambda = found.map(\.lambda).max() ?? configuration.strategy.lambda
      final.configuration.retention.searchesLambda = false
      let largest = Format.significant(final.configuration.strategy.lambda)
      job.progress.note(
        "\(folder.path): no λ up to \(largest) ends within the budget of \(budget) nats; training with λ = \(largest) until it is exceeded")
    }
    var report = try final.run()
    report.finetuning?.search = found
    return report
  }

  private static func folder(of lambda: Double, in run: RunFolder) -> String { run.tries + "/lambda-\(Format.significant(lambda))" }

  /// The smallest λ that was found to be within the budget; nil if none is.
  /// - Parameter isWithin: trains with a λ.
  package static func bisect(from start: Double, isWithin: (Double) throws -> Bool) rethrows -> Double? {
    var low: Double?, high: Double?, lambda = start
    for _ in 0..<tries {
      if try isWithin(lambda) { high = lambda } else { low = lambda }
      switch (low, high) {
      case (let low?, let high?):
        if high / low <= precision { return high }
        lambda = (low * high).squareRoot()
      case (nil, _):
        if lambda <= start / reach * (1 + 1e-9) { return high }
        lambda /= stride
      case (_, nil):
        if lambda >= start * reach * (1 - 1e-9) { return nil }
        lambda *= stride
      }
      // Rounded, so that the names of the folders tell the runs apart.
      lambda = Double(Format.significant(lambda)) ?? lambda
    }
    return high
  }
}
