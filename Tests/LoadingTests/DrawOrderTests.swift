import Foundation
import Primitives
import Testing

@testable import Loading

@Suite struct DrawOrderTests {
  private struct Case {
    var order: DrawOrder
    var weights: [[Double]]
    var isCapped: Bool
  }

  private func makeCase(seed: UInt64) throws -> Case {
    var random = SequentialRandom(seed: seed)
    let groups = [1, 2, 3, 5, 64, 966][Int.random(in: 0..<6, using: &random)]
    var start = 0
    var stages: [(start: Int, weights: [Double])] = []
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      var weights = (0..<groups).map { _ in
        Double.random(in: 0...1, using: &random) < 0.2 ? 0 : pow(10, Double.random(in: -9...0, using: &random))
      }
      if !weights.contains(where: { $0 > 0 }) { weights[0] = 1 }
      stages.append((start, weights))
      start += Int.random(in: 1...9_000, using: &random)
    }
    let isCapped = Bool.random(using: &random)
    let capacities: [Int?] = (0..<groups).map { _ in isCapped ? Int.random(in: 1...(60_000 / groups + 1), using: &random) : nil }
    return Case(
      order: try DrawOrder(stages: stages, capacities: capacities, randomSeed: seed), weights: stages.map(\.weights), isCapped: isCapped)
  }

  /// Every count of a group occurs once, none exceeds its capacity, and at the ends of blocks the counts are those of `counts(draws:)`.
  @Test(arguments: 1...40 as ClosedRange<UInt64>) func everyCountOccursOnce(seed: UInt64) throws {
    let made = try makeCase(seed: seed), order = made.order
    let rows = min(order.capacity, 30_000)
    var seen = [Set<Int>](repeating: [], count: order.groupCount)
    let last = order.stages[order.stage(at: rows - 1)].start
    let end = rows == order.capacity ? rows : last + (rows - last) / DrawOrder.block * DrawOrder.block
    for position in 0..<end {
      let draw = order.draw(at: position)
      #expect(seen[draw.group].insert(draw.count).inserted)
      #expect(order.position(group: draw.group, count: draw.count) == position)
    }
    #expect(seen.map(\.count) == order.counts(draws: end))
    for (group, counts) in seen.enumerated() {
      #expect(counts.allSatisfy { $0 < counts.count } && counts.count <= order.capacities[group])
    }
    guard !made.isCapped, made.weights.count == 1, end > 0 else { return }
    let sum = made.weights[0].reduce(0, +), bound = max(1, log2(Double(order.groupCount)))
    for (group, counts) in seen.enumerated() {
      #expect(abs(Double(counts.count) - made.weights[0][group] / sum * Double(end)) <= bound)
    }
  }

  @Test func farPositionsCostAsLittle() throws {
    let order = try DrawOrder(stages: [(0, [1, 2, 1e-9, 3])], capacities: [nil, nil, nil, nil], randomSeed: 1)
    for position in [1 << 33, 1 << 42] {
      let draw = order.draw(at: position), counts = order.counts(draws: position)
      #expect(abs(draw.count - counts[draw.group]) <= DrawOrder.block)
    }
  }

  @Test func aCompiledOrderIsReadBack() throws {
    let order = try makeCase(seed: 7).order
    #expect(try JSONDecoder().decode(DrawOrder.self, from: JSONEncoder().encode(order)) == order)
    var broken = try #require(try JSONSerialization.jsonObject(with: JSONEncoder().encode(order)) as? [String: Any])
    broken["offsets"] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    let data = try JSONSerialization.data(withJSONObject: broken)
    if order.groupCount != 11 { #expect(throws: DecodingError.self) { try JSONDecoder().decode(DrawOrder.self, from: data) } }
  }
}
