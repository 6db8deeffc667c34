import Foundation
import Planning
import Primitives
import Testing

/// End to end with a known answer: fits small noisy runs of three domains, plans a larger budget by the fit, and compares the plan with one by the
/// true laws.
@Test func fromRunsToAPlan() throws {
  var code = Synthetic.transferGap
  code[5] = 1.2
  var poetry = Synthetic.transferGap
  poetry[3] = 1_200
  poetry[5] = 0.25
  let truth = ["news": Synthetic.transferGap, "code": code, "poetry": poetry]
  let runs = truth.keys.sorted().enumerated().flatMap { index, name in
    Synthetic.small(truth[name] ?? [], domain: name, noise: 0.003, seed: UInt64(index))
  }
  #expect(runs.count == 3 * 36)

  let fit = try LawFitter.fit(
    RunTable(runs: runs), laws: [TransferGapLaw(), ChinchillaLaw()], configuration: Synthetic.quick(bootstrap: 12, holdsOut: true))
  #expect(fit.selected == "F1")

  let size = ModelSize(parameters: 6e6, width: 256, layers: 8)
  let domains = [AllocationDomain("news", weight: 0.5), AllocationDomain("code", weight: 0.3), AllocationDomain("poetry", weight: 0.2)]
  let request = AllocationRequest(budget: 4e15, domains: domains, sizes: .fixed(size))
  let plan = try Planner.allocate(fit: fit, request: request)
  let known = try FitReport.known(TransferGapLaw(), domains: truth, range: PlannerTests.range)
  let ideal = try Planner.allocate(fit: known, request: request)
  func real(_ candidate: Allocation.Candidate) throws -> Double {
    try zip(domains, candidate.dPrime).reduce(0) { sum, part in
      sum + part.0.weight * (try known.predict(domain: part.0.name, n: candidate.n, d: Double(candidate.d), dPrime: Double(part.1)))
    }
  }
  #expect(try real(plan.split) - ideal.split.loss.value < 0.01, "the plan is almost as good as the ideal one")
  #expect(abs(try real(plan.split) / plan.split.loss.value - 1) < 0.03, "the prediction holds")
  #expect(try real(plan.split) < ideal.full.loss.value && plan.recommended == "split")
  let interval = plan.split.loss
  #expect((interval.low ?? .infinity) <= interval.value * 1.02 && (interval.high ?? 0) >= interval.value * 0.98)
}
