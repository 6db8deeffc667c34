import Foundation
import Planning
import Primitives
import Testing

@Suite struct PlannerTests {
  static let range = ["n": [3e5, 4e6], "d": [2e6, 3.2e7], "dPrime": [0, 3.2e6]]
  static let size = ModelSize(parameters: 1e6, width: 128, layers: 5)

  private func fit(_ law: any Law = TransferGapLaw(), _ domains: [String: [Double]] = ["all": Synthetic.transferGap]) throws -> FitReport {
    try FitReport.known(law, domains: domains, range: Self.range)
  }

  private func other(_ index: Int, _ factor: Double) -> [Double] {
    var values = Synthetic.transferGap
    values[index] *= factor
    return values
  }

  @Test(arguments: [(1, Trunk.shared), (4, .shared), (16, .shared), (4, .independent)], [1e13, 1e15])
  func closedFormIsTheBestOfAGrid(_ shape: (Int, Trunk), _ budget: Double) throws {
    let (k, trunk) = shape
    let request = AllocationRequest(budget: budget, domains: AllocationDomain.equal(k), trunk: trunk, sizes: .fixed(Self.size))
    let answer = try Planner.allocate(fit: fit(), request: request)
    let tokens = budget / 6e6
    let trunks = trunk == .shared ? 1.0 : Double(k)
    let law = TransferGapLaw()
    var best = Double.infinity
    for step in 0..<4000 {
      let d = tokens / trunks * exp(-8 * Double(step) / 4000)
      let dPrime = (tokens - trunks * d) / Double(k)
      best = min(best, law.value(Synthetic.transferGap, at: LawPoint(n: 1e6, d: d, dPrime: dPrime)).loss)
    }
    #expect(answer.split.loss.value <= best + 1e-5)
    #expect(answer.split.loss.value > best - 1e-4)
    // Less than one token per trunk is left.
    #expect(answer.split.flops <= budget)
    #expect(answer.split.flops > budget - 6e6 * (trunks + 1))
    // The closed form, at its own D.
    let p = Synthetic.transferGap
    let d = Double(answer.split.d)
    let formula = p[7] * d * (1 + p[5] * pow(d, p[4]) / p[3]) * trunks / (Double(k) * p[4]) - p[6]
    #expect(abs(Double(answer.split.dPrime[0]) - max(0, formula)) <= 1e-6 * d + 2)
  }

  @Test func searchAgreesWithTheClosedForm() throws {
    // A number of unique tokens, however large, takes the general search.
    let closed = AllocationRequest(budget: 1e14, domains: AllocationDomain.equal(4), sizes: .fixed(Self.size))
    let searched = AllocationRequest(budget: 1e14, domains: AllocationDomain.equal(4, unique: 1e15), sizes: .fixed(Self.size))
    let one = try Planner.allocate(fit: fit(), request: closed)
    let two = try Planner.allocate(fit: fit(), request: searched)
    #expect(abs(one.split.loss.value - two.split.loss.value) < 1e-7)
    #expect(abs(Double(one.split.d) / Double(two.split.d) - 1) < 1e-3)
  }

  @Test(arguments: 0..<5) func unequalDomainsGetEqualMarginalGains(_ index: Int) throws {
    let law = Laws.all[index]
    let base = try #require(LawTests.values[law.id])
    var second = base
    second[3] *= 1.5
    var third = base
    third[0] *= 0.8
    third[3] *= 0.7
    let domains = [
      AllocationDomain("a", weight: 3), AllocationDomain("b", weight: 1), AllocationDomain("c", weight: 2, unique: 3e5),
    ]
    let report = try fit(law, ["a": base, "b": second, "c": third])
    let answer = try Planner.allocate(
      fit: report, request: AllocationRequest(budget: 2e14, domains: domains, sizes: .fixed(Self.size)))
    let tokens = 2e14 / 6e6
    #expect(answer.split.d + answer.split.dPrimeTotal <= Int(tokens) && Double(answer.split.d + answer.split.dPrimeTotal) > tokens - 5)
    func loss(_ d: Double, _ dPrime: [Double]) throws -> Double {
      var sum = 0.0
      for (index, domain) in domains.enumerated() {
        sum += domain.weight / 6 * (try report.predict(domain: domain.name, n: 1e6, d: d, dPrime: dPrime[index], unique: domain.unique))
      }
      return sum
    }
    let (d, dPrime) = (Double(answer.split.d), answer.split.dPrime.map(Double.init))
    let best = try loss(d, dPrime)
    #expect(abs(best - answer.split.loss.value) < 1e-12)
    // Moving tokens between any two parts does not lower the loss.
    let move = tokens * 1e-3
    for from in -1..<3 {
      for to in -1..<3 where to != from {
        var (movedD, moved) = (d, dPrime)
        guard (from < 0 ? d : dPrime[from]) > move * 2 else { continue }
        if from < 0 { movedD -= move } else { moved[from] -= move }
        if to < 0 { movedD += move } else { moved[to] += move }
        #expect(try loss(movedD, moved) >= best - 1e-7, "\(law.id): \(from) to \(to) of \(answer.split)")
      }
    }
    if law.isConvexInSpecialization {
      let gains = try domains.indices.filter { dPrime[$0] > 1e4 }.map { index in
        var (more, less) = (dPrime, dPrime)
        more[index] *= 1.0001
        less[index] *= 0.9999
        return (try loss(d, less) - loss(d, more)) / (2e-4 * dPrime[index])
      }
      for gain in gains { #expect(abs(gain / gains[0] - 1) < 1e-2, "\(law.id) \(gains)") }
    }
  }

  @Test func moreBudgetIsNeverWorse() throws {
    let report = try fit(TransferGapLaw(), ["a": Synthetic.transferGap, "b": other(5, 2)])
    for trunk in Trunk.allCases {
      var last = Double.infinity
      for exponent in 0..<8 {
        let request = AllocationRequest(
          budget: 1e12 * pow(4, Double(exponent)), domains: [AllocationDomain("a"), AllocationDomain("b")], trunk: trunk,
          sizes: .fixed(Self.size))
        let answer = try Planner.allocate(fit: report, request: request)
        #expect(answer.split.loss.value <= last + 1e-9)
        #expect(answer.split.flops <= request.budget)
        if trunk == .shared { #expect(answer.split.loss.value <= answer.full.loss.value + 1e-9) }
        last = answer.split.loss.value
      }
    }
  }

  @Test func sizesAreChosen() throws {
    let report = try fit()
    let domains = AllocationDomain.equal(4)
    let fixed = try [3e5, 1e6, 3e6, 1e7, 3e7].map { size in
      let request = AllocationRequest(budget: 1e15, domains: domains, sizes: .fixed(ModelSize(parameters: size)))
      return try Planner.allocate(fit: report, request: request).split.loss.value
    }
    let free = try Planner.allocate(fit: report, request: AllocationRequest(budget: 1e15, domains: domains, sizes: .free))
    #expect(free.sizes.count == 9 && free.split.loss.value < (fixed.min() ?? 0) + 0.01)
    #expect(free.size.width != nil && free.size.parameters == free.split.n)
  }

  @Test func curveAndNeighboursSurroundTheAnswer() throws {
    let answer = try Planner.allocate(
      fit: fit(), request: AllocationRequest(budget: 1e14, domains: AllocationDomain.equal(4), sizes: .fixed(Self.size)))
    #expect(answer.curve.count == 41 && answer.curve[0].dPrimeTotal == 0)
    #expect(answer.curve.allSatisfy { $0.loss.value >= answer.split.loss.value - 1e-9 && $0.flops <= 1e14 })
    #expect(answer.curve[0].loss.value == answer.full.loss.value && answer.recommended == "split")
    #expect(answer.neighbors.map(\.name) == ["half D′", "double D′"])
    #expect(answer.neighbors.allSatisfy { $0.loss.value > answer.split.loss.value })
    #expect(abs(answer.gain.value - (answer.full.loss.value - answer.split.loss.value)) < 1e-12 && answer.gain.value > 0)
    let copy = try JSONDecoder().decode(Allocation.self, from: JSONEncoder().encode(answer))
    #expect(copy == answer)
  }

  @Test func repeatsHoldSpecializationBack() throws {
    func special(_ unique: Double?) throws -> Int {
      let domains = AllocationDomain.equal(4, unique: unique)
      return try Planner.allocate(fit: fit(), request: AllocationRequest(budget: 1e15, domains: domains, sizes: .fixed(Self.size)))
        .split.dPrimeTotal
    }
    #expect(try special(1e5) < special(1e6))
    #expect(try special(1e6) < special(nil))
  }

  @Test func recipeCarriesTheAnswer() throws {
    let equal = try Planner.allocate(
      fit: fit(), request: AllocationRequest(budget: 1e14, domains: AllocationDomain.equal(4), sizes: .fixed(Self.size)))
    let text = try PlanRecipe(dataset: "data", tree: "my \"k\"'s tree", run: "runs/plan").yaml(equal)
    let (d, dPrime) = (equal.split.d, equal.split.dPrime[0])
    #expect(text.hasPrefix("# Planned by law F1 for 100000000000000.0 FLOPs and 4 domains.\n"))
    #expect(text.contains("\nrun: \"runs/plan\"\nsteps:\n  - name: split\n    says: \"Train a trunk for \(d) tokens"))
    let command =
      #"split data --tree 'my \"k\"'\"'\"'s tree' -o {run}/split "#
      + "--trunk-tokens \(d) --branch-tokens \(dPrime) --width 128 --layers 5"
    #expect(text.hasSuffix("    do: \"\(command)\"\n"), "\(text)")
    let naive = try Planner.allocate(
      fit: fit(ChinchillaLaw(), ["all": Synthetic.chinchilla]),
      request: AllocationRequest(budget: 1e14, domains: AllocationDomain.equal(4), sizes: .fixed(Self.size)))
    #expect(naive.recommended == "full" && naive.split.dPrimeTotal == 0)
    #expect(try PlanRecipe(dataset: "data", tree: "tree", run: "r").command(naive).hasPrefix("train data -o {run}/full --tokens "))
  }

  @Test func invalidRequestsAreRejected() throws {
    let report = try fit()
    func reason(_ change: (inout AllocationRequest) -> Void) -> String {
      var request = AllocationRequest(budget: 1e14, domains: AllocationDomain.equal(2), sizes: .fixed(Self.size))
      change(&request)
      do {
        _ = try Planner.allocate(fit: report, request: request)
        return ""
      } catch { return "\(error)" }
    }
    #expect(reason { _ in } == "")
    #expect(reason { $0.budget = -1 }.hasPrefix("budget: "))
    #expect(reason { $0.budget = .nan }.hasPrefix("budget: "))
    #expect(reason { $0.budget = 1 }.contains("pays for less than one token"))
    #expect(reason { $0.budget = 1e300 }.contains("2^60"))
    #expect(reason { $0.domains = [] }.hasPrefix("domains: "))
    #expect(reason { $0.domains = [AllocationDomain("law")] }.contains("\"law\" was not fitted"))
    #expect(reason { $0.domains[0].weight = 0 }.hasPrefix("weight: "))
    #expect(reason { $0.domains[0].unique = -3 }.hasPrefix("unique: "))
    #expect(reason { $0.domains[1].name = $0.domains[0].name }.contains("same name"))
    #expect(reason { $0.sizes = .fixed(ModelSize(parameters: 0)) }.hasPrefix("sizes: "))
    #expect(reason { $0.law = "F2" }.contains("F2 was not fitted"))
    let damaged = try fit(TransferGapLaw(), ["all": [1, 2]])
    let request = AllocationRequest(budget: 1e14, domains: AllocationDomain.equal(2), sizes: .fixed(Self.size))
    #expect(throws: WeirError.self) { try Planner.allocate(fit: damaged, request: request) }
  }

  @Test func shapesComeNearTheirSize() {
    for wanted in [2e4, 3e5, 1e6, 2.5e7, 1e9, 1e12] {
      let size = ModelSize.near(wanted)
      #expect(abs(log(size.parameters / wanted)) < 0.5)
      #expect((size.width ?? 1) % 32 == 0 && (size.layers ?? 0) > 0)
    }
    #expect(ModelSize.near(.nan).width != nil)
  }
}
