import Foundation
import Primitives

/// The best use of a compute budget by a fitted law: size, general tokens, specialisation tokens of each domain.
package enum PlanAllocate {
  /// FLOPs a parameter and token of training, forward and backward (Kaplan et al. 2001.08361, section 2.1).
  package static let flopsPerToken = 6.0

  /// Plans.
  /// - Parameters:
  ///   - fit: the fitted laws.
  ///   - request: the budget, the domains, the sizes.
  /// - Returns: the allocation, with the general model of the same budget, the curve of D : D′ and the neighbours beside it.
  /// - Throws: `WeirError` where the request can't be met.
  package static func allocate(fit: FitReport, request: AllocationRequest) throws -> Allocation {
    try request.validate()
    let planner = try Planner(fit: fit, request: request)
    var tried: [Allocation.Candidate] = []
    let size: ModelSize
    var best: Allocation.Candidate
    let fullSize: ModelSize
    switch request.sizes {
    case .fixed(let only):
      size = only
      fullSize = only
      best = try planner.best(only.parameters, name: "split")
    case .list(let sizes):
      tried = try sizes.map { try planner.best($0.parameters, name: "size") }
      let index = lowest(tried.map(\.loss.value))
      size = sizes[index]
      best = tried[index]
      fullSize = sizes[lowest(try sizes.map { try planner.full($0.parameters).loss.value })]
    case .free:
      let (low, high) = try planner.sizeRange()
      func search(_ loss: (Double) -> Double) -> Double {
        exp(Roots.lowest(log(low), log(high), grid: 16, steps: 24) { loss(exp($0)) })
      }
      size = ModelSize.near(search { planner.bestLoss($0) })
      fullSize = ModelSize.near(search { planner.fullLoss($0) })
      tried = try (0...8).map { step in
        try planner.best(exp(log(low) + (log(high) - log(low)) * Double(step) / 8), name: "size")
      }
      best = try planner.best(size.parameters, name: "split")
    }
    best.name = "split"
    let full = try planner.full(fullSize.parameters)
    return Allocation(
      request: request, law: planner.law.id, size: size, split: best, full: full, fullSize: fullSize,
      recommended: best.loss.value < full.loss.value && best.dPrimeTotal > 0 ? "split" : "full",
      gain: planner.gain(best, over: full), sizes: tried, curve: try planner.curve(size.parameters),
      neighbours: try planner.neighbours(of: best), notes: planner.notes(on: best))
  }

  /// The best of several partitions of the same corpus, such as K = 4, 16 and 64, by predicted loss.
  /// - Parameter candidates: a fit of each partition's domains and the request for it.
  /// - Returns: the allocations in the order given, and the index of the best.
  /// - Throws: `WeirError` where one can't be met or there is none.
  package static func choose(
    _ candidates: [(fit: FitReport, request: AllocationRequest)]
  ) throws -> (allocations: [Allocation], best: Int) {
    guard !candidates.isEmpty else { throw WeirError("--domains", "no partition to choose from") }
    let allocations = try candidates.map { try allocate(fit: $0.fit, request: $0.request) }
    return (allocations, lowest(allocations.map { min($0.split.loss.value, $0.full.loss.value) }))
  }

  private static func lowest(_ values: [Double]) -> Int {
    var best = 0
    for index in values.indices where values[index] < values[best] { best = index }
    return best
  }
}
