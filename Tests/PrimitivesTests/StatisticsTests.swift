import Foundation
import Primitives
import Testing

@Suite struct StatisticsTests {
  @Test func means() {
    #expect(Statistics.mean([1, 2, 6]) == 3)
    #expect(Statistics.mean([]).isNaN)
    #expect(Statistics.mean([1, 3], weights: [3, 1]) == 1.5)
  }

  @Test func quantilesAreLinearBetweenOrderStatistics() {
    let values = [10.0, 0, 30, 20]
    #expect(Statistics.quantile(values, 0) == 0)
    #expect(Statistics.quantile(values, 1) == 30)
    #expect(Statistics.quantile(values, 0.5) == 15)
    #expect(abs(Statistics.quantile(values, 0.1) - 3) < 1e-12)
    #expect(Statistics.quantile([7], 0.9) == 7)
    #expect(Statistics.quantile([], 0.5).isNaN)
  }

  @Test func intervalsOfProportions() {
    let some = Statistics.wilson(8, of: 10), none = Statistics.wilson(0, of: 10), all = Statistics.wilson(10, of: 10)
    #expect(abs(some.lowerBound - 0.490162) < 1e-6 && abs(some.upperBound - 0.943318) < 1e-6)
    #expect(none.lowerBound == 0 && abs(none.upperBound - 0.277533) < 1e-6)
    #expect(abs(all.lowerBound - 0.722467) < 1e-6 && all.upperBound == 1)
  }

  @Test func errorsOfPredictions() {
    #expect(Statistics.r2(measured: [1, 2, 3], predicted: [1, 2, 3]) == 1)
    #expect(Statistics.r2(measured: [1, 2, 3], predicted: [2, 2, 2]) == 0)
    #expect(Statistics.r2(measured: [2, 2], predicted: [2, 2]).isNaN)
    #expect(abs(Statistics.meanRelativeError(measured: [2, 4], predicted: [1, 5]) - 0.375) < 1e-12)
  }

  @Test(arguments: [0, 1, 2] as [UInt64]) func bootstrapIntervalCoversTheMean(_ seed: UInt64) {
    var random = SequentialRandom(seed: seed)
    let values = (0..<200).map { _ in random.uniform() }
    let means = (0..<400).map { replicate in
      Statistics.mean(Statistics.resample(values.count, seed: seed, replicate: replicate).map { values[$0] })
    }
    let interval = Statistics.interval(means, level: 0.99)
    #expect(interval.low < 0.5 && interval.high > 0.5 && interval.high - interval.low < 0.15)
  }
}
