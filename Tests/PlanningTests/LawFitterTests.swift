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
    var configuration = Synthetic.quick()
    configuration.priorWeight = 0
    let report = try LawFitter.fit(runs: runs, laws: [ChinchillaLaw()], configuration: configuration)
    let fit = try report.domain("all").candidate("F5")
    for (value, expected) in zip(fit.values, truth) { #expect(abs(value / expected - 1) < 0.01, "\(fit.values)") }
    #expect(fit.r2 > 0.999999)
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func predictsUnseenPoints(_ seed: UInt64) throws {
    let report = try LawFitter.fit(
      runs: Synthetic.small(noise: 0.004, seed: seed), laws: [TransferGapLaw()], configuration: Synthetic.quick())
    let law = TransferGapLaw()
    #expect(report.domains[0].candidates[0].r2 > 0.99)
    for (n, d, dPrime) in [(1e6, 2e7, 2e6), (8e6, 6.4e7, 6.4e6), (2e6, 5e6, 0)] {
      let truth = law.value(Synthetic.transferGap, at: LawPoint(n: n, d: d, dPrime: dPrime)).loss
      #expect(abs(try report.predict(n: n, d: d, dPrime: dPrime) / truth - 1) < 0.02)
    }
  }

  @Test func theGeneratingLawIsSelected() throws {
    let report = try LawFitter.fit(
      runs: Synthetic.small(noise: 0.001, seed: 4), laws: [ChinchillaLaw(), TransferGapLaw()],
      configuration: Synthetic.quick(holdsOut: true))
    #expect(report.selected == "F1")
    let fit = try report.domain("all").candidate("F1")
    let folds = try #require(fit.heldOut?.folds)
    #expect(folds.map(\.axis) == ["N", "D", "D′", "N, D, D′"])
    #expect(folds[0].points.allSatisfy { $0.n == 4e6 } && folds[0].fitted == 24)
    let scores = report.scores.compactMap(\.heldOutError)
    #expect(scores.count == 2 && scores[1] < scores[0] && scores[1] < 0.03)
    #expect(fit.points.count == 36)
  }

  @Test func sameRunsInAnyOrderGiveTheSameReport() throws {
    let runs = Synthetic.small(noise: 0.005, seed: 5)
    var generator = SequentialRandom(seed: 1)
    let first = try LawFitter.fit(runs: runs, laws: [TransferGapLaw()], configuration: Synthetic.quick(bootstrap: 4))
    let second = try LawFitter.fit(
      runs: runs.shuffled(using: &generator), laws: [TransferGapLaw()], configuration: Synthetic.quick(bootstrap: 4))
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
    configuration.priorWeight = 1e-3
    let free = try LawFitter.fit(runs: runs, laws: [TransferGapLaw()], configuration: configuration).domains[0].candidates[0]
    #expect(abs(free.repetition - 6) < 1.5, "\(free.repetition)")
    configuration.fitsRepetition = false
    let fixed = try LawFitter.fit(runs: runs, laws: [TransferGapLaw()], configuration: configuration).domains[0].candidates[0]
    #expect(fixed.repetition == Repetition.standard && fixed.error > free.error)
  }

  @Test func meanOverDomainsIsAdded() throws {
    var other = Synthetic.transferGap
    other[5] = 1.1
    let runs = Synthetic.small(domain: "law") + Synthetic.small(other, domain: "code")
    let report = try LawFitter.fit(runs: runs, laws: [TransferGapLaw()], configuration: Synthetic.quick())
    #expect(report.domains.map(\.domain) == ["all", "code", "law"])
    let (code, law) = (
      try report.predict(domain: "code", n: 1e6, d: 8e6, dPrime: 0), try report.predict(domain: "law", n: 1e6, d: 8e6, dPrime: 0)
    )
    #expect(abs(try report.predict(n: 1e6, d: 8e6, dPrime: 0) - (code + law) / 2) < 0.02)
  }

  @Test func runsThatCannotDetermineALawAreRejected() throws {
    func reason(_ runs: [MeasuredRun], _ laws: [any Law] = [TransferGapLaw()]) -> String {
      do {
        _ = try LawFitter.fit(runs: runs, laws: laws, configuration: Synthetic.quick())
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

  @Test func extremeRunsStayFinite() throws {
    var runs = Synthetic.small()
    for index in runs.indices { runs[index].loss = index.isMultiple(of: 2) ? 1e-6 : 1e6 }
    let fit = try LawFitter.fit(runs: runs, laws: Laws.all, configuration: Synthetic.quick())
    #expect(fit.domains[0].candidates.allSatisfy { $0.values.allSatisfy(\.isFinite) && $0.error.isFinite })
  }
}
