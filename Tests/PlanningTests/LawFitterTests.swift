import Foundation
import Planning
import Primitives
import Testing

@Suite struct LawFitterTests {
  @Test func recoversTheChinchillaRefit() throws {
    // The parameters of Besiroglu et al., arXiv 2404.10102, table 1.
    let truth = Synthetic.chinchilla
    let runs = Synthetic.runs(
      ChinchillaLaw(), truth, sizes: [5e7, 2e8, 8e8, 3e9, 1.2e10], tokens: [1e9, 6e9, 3e10, 1.5e11, 6e11], special: [0])
    let report = try LawFitter.fit(RunTable(runs: runs), laws: [ChinchillaLaw()], configuration: Synthetic.quick())
    let fit = try report.domain("all").candidate("F5")
    for (value, expected) in zip(fit.values, truth) { #expect(abs(value / expected - 1) < 0.01, "\(fit.values)") }
    #expect(fit.r2 > 0.999999)
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func predictsUnseenPoints(_ seed: UInt64) throws {
    let report = try LawFitter.fit(
      RunTable(runs: Synthetic.small(noise: 0.004, seed: seed)), laws: [TransferGapLaw()], configuration: Synthetic.quick())
    let law = TransferGapLaw()
    #expect(report.domains[0].candidates[0].r2 > 0.99)
    for (n, d, dPrime) in [(1e6, 2e7, 2e6), (8e6, 6.4e7, 6.4e6), (2e6, 5e6, 0)] {
      let truth = law.value(Synthetic.transferGap, at: LawPoint(n: n, d: d, dPrime: dPrime)).loss
      #expect(abs(try report.predict(n: n, d: d, dPrime: dPrime) / truth - 1) < 0.02)
    }
  }

  @Test func theGeneratingLawIsSelected() throws {
    let report = try LawFitter.fit(
      RunTable(runs: Synthetic.small(noise: 0.001, seed: 4)), laws: [ChinchillaLaw(), TransferGapLaw()],
      configuration: Synthetic.quick(holdsOut: true))
    #expect(report.selected == "F1")
    let fit = try report.domain("all").candidate("F1")
    let folds = try #require(fit.heldOut?.folds)
    #expect(folds.map(\.axis) == ["N", "D", "D′", "compute", "N, D, D′"])
    #expect(folds[0].points.allSatisfy { $0.n == 4e6 } && folds[0].fitted == 24)
    let scores = report.scores.compactMap(\.heldOutError)
    #expect(scores.count == 2 && scores[1] < scores[0] && scores[1] < 0.03)
    #expect(fit.points.count == 36)
  }

  @Test func sameRunsInAnyOrderGiveTheSameReport() throws {
    let runs = Synthetic.small(noise: 0.005, seed: 5)
    var generator = SequentialRandom(seed: 1)
    let first = try LawFitter.fit(RunTable(runs: runs), laws: [TransferGapLaw()], configuration: Synthetic.quick(bootstrap: 4))
    let second = try LawFitter.fit(
      RunTable(runs: runs.shuffled(using: &generator)), laws: [TransferGapLaw()], configuration: Synthetic.quick(bootstrap: 4), threads: 2)
    #expect(first == second)
    let copy = try JSONDecoder().decode(FitReport.self, from: JSONEncoder().encode(first))
    #expect(copy == first)
    let parameters = first.domains[0].candidates[0].parameters
    #expect(parameters.allSatisfy { ($0.low ?? .nan) <= ($0.high ?? .nan) })
    #expect(first.domains[0].candidates[0].replicates.count == 4)
  }

  @Test func repetitionIsFitted() throws {
    let runs = Synthetic.runs(
      TransferGapLaw(), Synthetic.transferGap, sizes: [3e5, 1e6, 4e6], tokens: [2e6, 8e6, 3.2e7], special: [0, 2e5, 8e5, 3.2e6, 1.3e7],
      unique: 4e5, repetition: 6)
    var configuration = Synthetic.quick()
    let free = try LawFitter.fit(RunTable(runs: runs), laws: [TransferGapLaw()], configuration: configuration).domains[0].candidates[0]
    #expect(abs(free.repetition - 6) < 1.5, "\(free.repetition)")
    configuration.fitsRepetition = false
    let fixed = try LawFitter.fit(RunTable(runs: runs), laws: [TransferGapLaw()], configuration: configuration).domains[0].candidates[0]
    #expect(fixed.repetition == Repetition.standard && fixed.error > free.error)
  }

  @Test func meanOverDomainsIsAdded() throws {
    var other = Synthetic.transferGap
    other[5] = 1.1
    let runs = Synthetic.small(domain: "law") + Synthetic.small(other, domain: "code")
    let report = try LawFitter.fit(RunTable(runs: runs), laws: [TransferGapLaw()], configuration: Synthetic.quick())
    #expect(report.domains.map(\.domain) == ["all", "code", "law"])
    let (code, law) = (
      try report.predict(domain: "code", n: 1e6, d: 8e6, dPrime: 0), try report.predict(domain: "law", n: 1e6, d: 8e6, dPrime: 0)
    )
    #expect(abs(try report.predict(n: 1e6, d: 8e6, dPrime: 0) - (code + law) / 2) < 0.02)
  }

  @Test func runsThatCannotDetermineALawAreRejected() throws {
    func reason(_ runs: [MeasuredRun], _ laws: [any Law] = [TransferGapLaw()]) -> String {
      do {
        _ = try LawFitter.fit(RunTable(runs: runs), laws: laws, configuration: Synthetic.quick())
        return ""
      } catch { return "\(error)" }
    }
    #expect(reason([]).contains("there are none"))
    #expect(reason(Array(Synthetic.small().prefix(7))).contains("fewer than the 8 parameters of F1"))
    #expect(reason(Synthetic.small().filter { $0.n == 1e6 }).contains("the same N"))
    #expect(reason(Synthetic.small().filter { $0.dPrime == 0 }).contains("the same D′"))
    #expect(reason(Synthetic.small().filter { $0.d == 2e6 }).contains("the same D ="))
    #expect(reason(Synthetic.small(), []).hasPrefix("laws: is empty"))
    var broken = Synthetic.small()
    broken[3].loss = .nan
    #expect(reason(broken).contains("run 4: member \"loss\" is not finite"))
  }

  @Test func runsThatNoLawExplainsAreRefused() {
    func reason(_ change: (inout [MeasuredRun]) -> Void) -> String {
      var runs = Synthetic.small()
      change(&runs)
      do {
        return try LawFitter.fit(RunTable(runs: runs), laws: [TransferGapLaw()], configuration: Synthetic.quick(holdsOut: true)).doubt ?? ""
      } catch { return "\(error)" }
    }
    #expect(
      reason { runs in for index in runs.indices { runs[index].loss = index.isMultiple(of: 2) ? 1e-6 : 1e6 } }.contains("no law explains"))
    #expect(reason { runs in for index in runs.indices { runs[index].loss = 3 } }.contains("no law explains"))
    #expect(
      reason { runs in for index in runs.indices { runs[index].loss = pow(runs[index].n * runs[index].d, 0.02) } }.contains(
        "no law explains"))
    #expect(reason { _ in } == "")
  }

  @Test func outliersAreNamed() throws {
    var runs = Synthetic.small(noise: 0.002, seed: 3)
    runs[7].loss = 9.5
    runs[7].line = 8
    let report = try LawFitter.fit(RunTable(runs: runs), laws: [TransferGapLaw()], configuration: Synthetic.quick())
    #expect(report.notes.contains { $0.contains("an outlier") && $0.contains("loss 9.500 (line 8)") }, "\(report.notes)")
  }

  @Test func withoutSpecializationTheOtherLawsAreFitted() throws {
    let runs = Synthetic.runs(
      ChinchillaLaw(), Synthetic.chinchilla, sizes: [5e7, 2e8, 8e8], tokens: [1e9, 6e9, 3e10, 1e11], special: [0], noise: 0.001)
    let report = try LawFitter.fit(RunTable(runs: runs), configuration: Synthetic.quick())
    #expect(report.scores.map(\.law) == ["F5", "F6"])
    #expect(report.notes.contains { $0.contains("says nothing about specialization") })
    #expect(throws: WeirError.self) {
      try Planner.allocate(
        fit: report, request: AllocationRequest(budget: 1e18, domains: AllocationDomain.equal(4), sizes: .fixed(ModelSize(parameters: 1e8)))
      )
    }
  }

  /// Every law, fitted to its own noisy runs, predicts the true losses.
  @Test(arguments: 0..<10) func plantedLawsAreRecovered(_ index: Int) throws {
    let law = Laws.all[index]
    let p = try #require(LawTests.values[law.id])
    var runs: [MeasuredRun] = []
    if law.takesMixture {
      for (at, mixture) in [[0.2, 0.3, 0.5], [0.6, 0.2, 0.2], [0.1, 0.8, 0.1], [0.05, 0.15, 0.8], [0.4, 0.4, 0.2], [0.9, 0.05, 0.05]]
        .enumerated()
      {
        for run in Synthetic.runs(
          law, p, sizes: [3e5, 1e6, 4e6], tokens: [2e6, 8e6, 3.2e7], special: [0], noise: 0.001, seed: UInt64(at), mixture: mixture)
        {
          runs.append(run)
        }
      }
    } else {
      runs = Synthetic.runs(
        law, p, sizes: [3e5, 1e6, 4e6, 1.6e7], tokens: [2e6, 8e6, 3.2e7, 1.3e8], special: [0, 2e5, 8e5, 3.2e6, 1.3e7], noise: 0.001, seed: 9
      )
    }
    let report = try LawFitter.fit(RunTable(runs: runs), laws: [law], configuration: Synthetic.quick())
    let fit = report.domains[0].candidates[0]
    let errors = runs.map { run in
      let x = LawPoint(n: run.n * 1.5, d: run.d * 1.5, dPrime: run.dPrime, mixture: run.mixture ?? [])
      return abs(law.value(fit.values, at: x).loss / law.value(p, at: x).loss - 1)
    }
    #expect(Statistics.mean(errors) < 0.004, "\(law.id): \(Statistics.mean(errors))")
    #expect(fit.r2 > 0.999)
  }

  @Test func evaluationsOfOneRunCountOnce() throws {
    // Twelve models with a trunk of four checkpoints each.
    var runs: [MeasuredRun] = []
    for (index, n) in [1e6, 2e6, 4e6, 8e6].enumerated() {
      for seed in 0..<3 as Range<UInt64> {
        for run in Synthetic.runs(
          ChinchillaLaw(), [1.7, 60, 0.28, 900, 0.36], sizes: [n], tokens: [2e6, 8e6, 3.2e7, 1.3e8], special: [0], noise: 0.004,
          seed: UInt64(index) * 3 + seed)
        {
          var run = run
          run.seed = seed
          runs.append(run)
        }
      }
    }
    let report = try LawFitter.fit(RunTable(runs: runs), laws: [ChinchillaLaw()], configuration: Synthetic.quick(bootstrap: 4))
    #expect(report.domains[0].resampled == "12 trunks")
    #expect(abs((report.domains[0].seedNoise ?? 0) - 0.004) < 0.0015)
  }
}
