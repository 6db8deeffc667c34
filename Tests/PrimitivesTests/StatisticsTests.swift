import Foundation
import Primitives
import Testing

@Suite struct StatisticsTests {
  @Test func middleAndSpread() {
    #expect(Statistics.mean([1, 2, 6]) == 3)
    #expect(Statistics.mean([]).isNaN && Statistics.median([]).isNaN)
    #expect(Statistics.median([5, 1, 3]) == 3)
    #expect(Statistics.median([4, 1, 3, 2]) == 2.5)
    #expect(Statistics.deviation([2, 4, 4, 4, 5, 5, 7, 9]) == (32.0 / 7).squareRoot())
    #expect(Statistics.mean([1, 3], weights: [3, 1]) == 1.5)
  }

  @Test func quantilesAreLinearBetweenOrderStatistics() {
    let values = [10.0, 0, 30, 20]
    #expect(Statistics.quantile(values, 0) == 0)
    #expect(Statistics.quantile(values, 1) == 30)
    #expect(Statistics.quantile(values, 0.5) == 15)
    #expect(abs(Statistics.quantile(values, 0.1) - 3) < 1e-12)
    #expect(Statistics.quantile([7], 0.9) == 7)
  }

  @Test func errorsOfPredictions() {
    #expect(Statistics.r2(measured: [1, 2, 3], predicted: [1, 2, 3]) == 1)
    #expect(Statistics.r2(measured: [1, 2, 3], predicted: [2, 2, 2]) == 0)
    #expect(Statistics.r2(measured: [2, 2], predicted: [2, 2]).isNaN)
    #expect(abs(Statistics.meanRelativeError(measured: [2, 4], predicted: [1, 5]) - 0.375) < 1e-12)
  }

  @Test(arguments: [0, 1, 2] as [UInt64]) func bootstrapHoldsTheMean(_ seed: UInt64) {
    var random = SequentialRandom(seed: seed)
    let values = (0..<200).map { _ in random.uniform() }
    let interval = Statistics.bootstrapInterval(values, replicates: 400, level: 0.99, seed: seed) { Statistics.mean($0) }
    #expect(interval.low < 0.5 && interval.high > 0.5 && interval.high - interval.low < 0.15)
    let again = Statistics.bootstrapInterval(values, replicates: 400, level: 0.99, seed: seed) { Statistics.mean($0) }
    #expect(interval == again)
  }
}
