import Foundation

/// Finds the best use of a compute budget according to a fitted law: the model size, the general tokens, and the specialization tokens per domain.
package enum Planner {
  /// Training FLOPs per parameter and token, forward and backward (Kaplan et al. 2020, arXiv 2001.08361, section 2.1).
  package static let flopsPerToken = 6.0

  /// Allocates a budget.
  /// - Parameter threads: for the decisions of the bootstrap replicates.
  /// - Throws: `WeirError` where the request is invalid or does not match the fit.
  package static func allocate(fit: FitReport, request: AllocationRequest, threads: Int = 1) throws -> Allocation {
    try request.validate()
    let problem = try AllocationProblem(fit: fit, request: request)
    var tried: [Allocation.Candidate] = []
    let size: ModelSize
    let fullSize: ModelSize
    switch request.sizes {
    case .fixed(let only): (size, fullSize) = (only, only)
    case .free:
      let (low, high) = try problem.sizeRange()
      func search(_ loss: (Double) -> Double) -> Double {
        exp(ScalarSearch.minimum(log(low), log(high), grid: 16, steps: 24) { loss(exp($0)) })
      }
      size = ModelSize.near(search { problem.bestLoss($0) })
      fullSize = ModelSize.near(search { problem.fullLoss($0) })
      tried = try (0...8).map { step in try problem.best(exp(log(low) + (log(high) - log(low)) * Double(step) / 8), name: "size") }
    }
    let best = try problem.best(size.parameters, name: "split")
    let full = try problem.full(fullSize.parameters)
    let gain = problem.gain(best, over: full)
    return Allocation(
      request: request, law: problem.law.id, size: size, split: best, full: full, fullSize: fullSize,
      recommended: problem.doubt != nil
        ? "none" : best.loss.value < full.loss.value && best.dPrimeTotal > 0 ? "split" : "full", gain: gain,
      sizes: tried, curve: try problem.curve(size.parameters), neighbors: try problem.neighbors(of: best), notes: problem.notes(on: best),
      decision: try problem.decision(size.parameters, threads: threads), equivalentCompute: problem.equivalentCompute(of: best, to: full))
  }
}
