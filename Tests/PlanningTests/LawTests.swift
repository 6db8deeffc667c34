import Foundation
import Planning
import Primitives
import Testing

@Suite struct LawTests {
  static let values: [String: [Double]] = [
    "F1": Synthetic.transferGap,
    "F2": [1.7, 60, 0.28, 900, 0.36, 3, 0.4, 4e5, 0.22],
    "F3": [1.7, 60, 0.28, 900, 0.36, 4e5, 0.5, 0.015],
    "F4": [1.7, 60, 0.28, 900, 0.36, 2, 0.8, 9, 0.6],
    "F5": Synthetic.chinchilla,
    "F6": [1.5, 8_000, 0.7, 60_000, 0.75, 0.4],
    "F7": [1.5, 8_000, 0.7, 60_000, 0.75, 0.3, 4e5, 0.4, 0.4],
    "F8": [1.7, 60, 0.28, 900, 0.36, 3, 0.03, 0.2],
    "M1": [1.7, 60, 0.28, 900, 0.36, 2, 0.5, 4, 0.3, 1.5, 0.8],
    "M2": [1.7, 60, 0.28, 900, 0.36, 2, 0.5, 4, 0.3, 1.5, 0.8, 0.6, 1.5, 0.4, 0.3, 0.8, 2],
  ]

  @Test(arguments: 0..<10) func gradientsMatchFiniteDifferences(_ index: Int) throws {
    let law = Laws.all[index]
    let p = try #require(Self.values[law.id])
    let mixture = law.takesMixture ? [0.2, 0.0, 0.8] : []
    #expect(p.count == law.parameterNames(sources: mixture.count).count)
    for point in [(1e6, 1e7, 0.0), (1e6, 1e7, 3e5), (4e7, 2e9, 5e8), (3e5, 1e6, 1e7)] {
      let x = LawPoint(n: point.0, d: point.1, dPrime: point.2, mixture: mixture)
      var gradient = [Double](repeating: .nan, count: p.count)
      let value = law.evaluate(p, at: x, gradient: &gradient)
      #expect(value.loss.isFinite && value.loss > 0)
      for parameter in p.indices {
        let step = p[parameter] * 1e-5
        var (up, down) = (p, p)
        up[parameter] += step
        down[parameter] -= step
        let slope = (law.value(up, at: x).loss - law.value(down, at: x).loss) / (2 * step)
        #expect(abs(slope - gradient[parameter]) <= 1e-5 * abs(slope) + 1e-9 / p[parameter], "\(law.id) \(parameter) \(point)")
      }
      func slope(_ at: (Double) -> LawPoint, _ around: Double) -> Double {
        let step = around * 1e-5
        return (law.value(p, at: at(around + step)).loss - law.value(p, at: at(around - step)).loss) / (2 * step)
      }
      let byN = slope({ LawPoint(n: $0, d: x.d, dPrime: x.dPrime, mixture: mixture) }, x.n)
      let byD = slope({ LawPoint(n: x.n, d: $0, dPrime: x.dPrime, mixture: mixture) }, x.d)
      #expect(abs(byN - value.byN) <= 1e-4 * abs(byN) && abs(byD - value.byD) <= 1e-4 * abs(byD), "\(law.id) \(point)")
      if x.dPrime > 0 {
        let byDPrime = slope({ LawPoint(n: x.n, d: x.d, dPrime: $0, mixture: mixture) }, x.dPrime)
        #expect(abs(byDPrime - value.byDPrime - value.byTrained) <= 1e-4 * abs(byDPrime), "\(law.id) \(point)")
        if !["F4", "F8"].contains(law.id) { #expect(byN < 0 && byD < 0 && byDPrime < 0, "more of anything lowers the loss") }
      }
    }
  }

  @Test(arguments: 0..<10) func columnsMatchPoints(_ index: Int) throws {
    let law = Laws.all[index]
    let p = try #require(Self.values[law.id])
    let points = (0..<11).map { at in
      LawPoint(
        n: 1e5 * pow(3, Double(at)), d: 1e10 / pow(2, Double(at)), dPrime: at.isMultiple(of: 3) ? 0 : 1e4 * pow(4, Double(at)),
        mixture: law.takesMixture ? [0.2, 0.3, 0.5] : [])
    }
    let columns = LawColumns(points)
    #expect(columns.count == 16)
    let losses = LawColumns.Column.allocate(capacity: 16 * (p.count + 1))
    defer { losses.deallocate() }
    let gradient = p.indices.map { losses + 16 * ($0 + 1) }
    law.evaluate(p, at: columns, losses: losses, gradient: gradient)
    var each = [Double](repeating: 0, count: p.count)
    for (at, point) in points.enumerated() {
      let loss = law.evaluate(p, at: point, gradient: &each).loss
      #expect(abs(losses[at] / loss - 1) < 1e-13)
      for parameter in p.indices {
        #expect(abs(gradient[parameter][at] - each[parameter]) <= 1e-12 * abs(each[parameter]), "\(law.id) \(parameter)")
      }
    }
  }

  @Test(arguments: 0..<5) func withoutSpecializationEveryLawIsChinchilla(_ index: Int) throws {
    let law = Laws.all[index]
    let p = try #require(Self.values[law.id])
    // The difference between two D cancels constants and leaves that of B/D^β.
    func loss(_ d: Double) -> Double { law.value(p, at: LawPoint(n: 1e6, d: d, dPrime: 0)).loss }
    let (b, beta) = (p[3], p[4])
    #expect(abs((loss(1e6) - loss(1e8)) - (b * pow(1e6, -beta) - b * pow(1e8, -beta))) < 1e-9)
  }

  @Test func repeatedTokensAreWorthLess() {
    #expect(Repetition.effective(5, unique: 10, constant: 15.4).tokens == 5)
    #expect(Repetition.effective(50, unique: nil, constant: 15.4).tokens == 50)
    let many = Repetition.effective(1e12, unique: 10, constant: 15.4)
    #expect(abs(many.tokens - 10 * 16.4) < 1e-9)
    let (low, high) = (Repetition.effective(39.99, unique: 10, constant: 4), Repetition.effective(40.01, unique: 10, constant: 4))
    let middle = Repetition.effective(40, unique: 10, constant: 4)
    #expect(abs((high.tokens - low.tokens) / 0.02 - middle.byTokens) < 1e-6)
    let more = Repetition.effective(40, unique: 10, constant: 4.001).tokens
    let less = Repetition.effective(40, unique: 10, constant: 3.999).tokens
    #expect(abs((more - less) / 0.002 - middle.byConstant) < 1e-5)
  }

  @Test func unknownLawIsNamed() {
    #expect(throws: WeirError.self) { try Laws.named("F9") }
    #expect(throws: Never.self) { try Laws.named("f2") }
  }
}
