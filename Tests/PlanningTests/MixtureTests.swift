import Foundation
import Planning
import Primitives
import Testing

/// Regressions of mixtures, and the search of the best one.
@Suite struct MixtureTests {
  private static let domains = ["a", "b", "c", "d"]

  private func swarm(_ count: Int, seed: UInt64 = 1) throws -> MixtureRuns {
    var swarm = MixtureSwarm(count: count, concentration: 1)
    swarm.randomSeed = seed
    return try swarm.mixtures(domains: Self.domains, natural: [0.4, 0.3, 0.2, 0.1])
  }

  /// Runs with values of a function of the weights.
  private func runs(_ count: Int, _ metrics: [String: ([Double]) -> Double]) throws -> MixtureRuns {
    var runs = try swarm(count)
    runs.metrics = metrics.keys.sorted()
    runs.values = runs.weights.map { weights in runs.metrics.map { metrics[$0]?(weights) } }
    return runs
  }

  private static func law(_ w: [Double]) -> Double { 1.5 + 1 / zip(w, [0.9, 0.5, 0.2, 1.4]).reduce(0.05) { $0 + $1.1 * pow($1.0, 0.4) } }

  @Test func swarmsAreMixturesAroundTheNaturalOne() throws {
    let runs = try swarm(400)
    #expect(runs.weights[0] == [0.4, 0.3, 0.2, 0.1] && Set(runs.names).count == 400)
    for row in runs.weights { #expect(abs(row.reduce(0, +) - 1) < 1e-12 && row.allSatisfy { $0 >= 0 }) }
    for (index, share) in [0.4, 0.3, 0.2, 0.1].enumerated() {
      // The variance of a Dirichlet variable with the sum of parameters 4.
      let mean = Statistics.mean(runs.weights.map { $0[index] }), error = (share * (1 - share) / 5 / 400).squareRoot()
      #expect(abs(mean - share) < 4 * error, "\(mean) for \(share)")
    }
    #expect(try swarm(400) == runs)
    #expect(try swarm(400, seed: 2) != runs)
  }

  @Test(arguments: [
    (MixtureRegression.linear, 1e-6), (.logLinear, 1e-3), (.quadratic, 2e-2), (.law, 1e-3), (.gaussianProcess, 2e-2),
    (.logGaussianProcess, 2e-2),
  ])
  func regressionsFindTheirOwnKind(_ regression: MixtureRegression, _ tolerance: Double) throws {
    let function: ([Double]) -> Double =
      switch regression {
      case .linear: { 2 + $0[0] - 0.5 * $0[3] }
      case .logLinear: { 1.2 + exp(0.3 - 1.5 * $0[0] + 0.8 * $0[2]) }
      case .quadratic: { 3 - $0[0] + 2 * $0[0] * $0[1] - $0[2] * $0[3] }
      default: Self.law
      }
    let fit = try MixtureFit.fit(try runs(80, ["loss": function]), regressions: [regression], threads: 1)
    let new = try swarm(30, seed: 9), predicted = try fit.predict(new, path: "new", threads: 1)
    for (weights, values) in zip(new.weights, predicted.values) {
      let value = try #require(values[0])
      #expect(abs(value - function(weights)) < tolerance * function(weights), "\(value) for \(function(weights))")
    }
    #expect(fit.metrics[0].scores[0].rank > 0.97)
  }

  @Test func theBestRegressionIsSelectedAndThreadsDoNotMatter() throws {
    let data = try runs(80, ["law": Self.law, "line": { 2 + $0[0] }])
    let fit = try MixtureFit.fit(data, regressions: [.linear, .logLinear, .law], threads: 2)
    #expect(fit.metrics.map(\.name) == ["law", "line", "mean"])
    #expect(fit.metrics[0].model.kind == .law && fit.metrics[1].model.kind != .law)
    #expect(try MixtureFit.fit(data, regressions: [.linear, .logLinear, .law], threads: 1) == fit)
  }

  @Test func constantAndNegativeMetricsAreFitted() throws {
    let data = try runs(40, ["constant": { _ in 2 }, "zero": { _ in 0 }, "sign": { $0[0] - $0[1] }])
    let fit = try MixtureFit.fit(data, threads: 1)
    for metric in fit.metrics { #expect(metric.scores.allSatisfy { $0.rank.isFinite && $0.error.isFinite }, "\(metric.name)") }
    #expect(fit.metrics.first { $0.name == "sign" }?.scores.count == MixtureRegression.allCases.count - 2)
    #expect(throws: WeirError.self) { try MixtureFit.fit(data, regressions: [.law], threads: 1) }
  }

  @Test(arguments: [MixtureRegression.law, .gaussianProcess, .quadratic])
  func solutionsAreBestAndKeepTheirBounds(_ regression: MixtureRegression) throws {
    let data = try runs(120, ["loss": Self.law]), fit = try MixtureFit.fit(data, regressions: [regression], threads: 1)
    var request = MixtureRequest(goal: .metric("loss"), prior: [0.4, 0.3, 0.2, 0.1])
    request.samples = 8
    let free = try fit.solve(request, threads: 1)
    func value(_ weights: [Double]) throws -> Double {
      var one = try swarm(2).subset([0])
      (one.weights, one.values) = ([weights], [[]])
      return try fit.predict(one, path: "", threads: 1).values[0][0] ?? .nan
    }
    let best = free.weights.map(\.value), found = try #require(free.metrics["loss"]).value
    let reached = try value(best)
    #expect(abs(best.reduce(0, +) - 1) < 1e-9 && abs(reached - found) < 1e-9)
    // No mixture of a grid is better.
    for a in 0...10 {
      for b in 0...(10 - a) {
        for c in 0...(10 - a - b) {
          let weights = [a, b, c, 10 - a - b - c].map { Double($0) / 10 }
          #expect(try value(weights) > found - 1e-4, "\(weights)")
        }
      }
    }
    for weight in free.weights { #expect((weight.low ?? 1) <= weight.value && weight.value <= (weight.high ?? 0)) }
    request.most = [0.3, 0.3, 0.3, 0.3]
    let bounded = try fit.solve(request, threads: 1)
    #expect(bounded.weights.allSatisfy { $0.value <= 0.3 + 1e-9 })
    #expect(try #require(bounded.metrics["loss"]).value >= found - 1e-9)
    (request.most, request.divergence, request.samples) = (nil, 1e6, 0)
    #expect(try fit.solve(request, threads: 1).divergence < 1e-3)
    request.most = [0.2, 0.2, 0.2, 0.2]
    #expect(throws: WeirError.self) { try fit.solve(request, threads: 1) }
  }

  @Test func theWorstMetricIsBalanced() throws {
    let data = try runs(80, ["x": { 2 - $0[0] }, "y": { 2 - $0[1] }])
    let fit = try MixtureFit.fit(data, regressions: [.linear], threads: 1)
    var request = MixtureRequest(goal: .worst, prior: [0.25, 0.25, 0.25, 0.25])
    request.samples = 0
    let weights = try fit.solve(request, threads: 1).weights.map(\.value)
    #expect(abs(weights[0] - 0.5) < 0.01 && abs(weights[1] - 0.5) < 0.01, "\(weights)")
  }

  @Test func runsAreReused() throws {
    var old = try swarm(60)
    for run in 0..<10 { old.weights[run] = [0.5, 0.5, 0, 0] }
    let parts = [(name: "b1", share: 3.0), (name: "b2", share: 1.0)]
    let (new, notes) = try MixtureReuse.apply(old, removed: ["d"], divided: ["b": parts], added: ["e"])
    #expect(new.domains == ["a", "b1", "b2", "c", "e"] && new.names.count >= 10 && new.names.count < 60 && notes.count == 2)
    #expect(new.weights[0] == [0.5, 0.375, 0.125, 0, 0])
    #expect(throws: WeirError.self) { try MixtureReuse.apply(old, removed: ["z"]) }
    #expect(throws: WeirError.self) { try MixtureReuse.apply(old, added: ["a"]) }
    #expect(throws: WeirError.self) { try MixtureReuse.apply(old, removed: ["a", "b"]) }
  }
}
