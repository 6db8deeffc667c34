import Foundation
import Loading
import Primitives
import Testing

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

  /// The counts of a group ascend one by one, none reaches its capacity, `counts` and `position` agree, and shares are within log₂ K at the ends
  /// of blocks.
  @Test(arguments: 1...40 as ClosedRange<UInt64>) func countsAscend(seed: UInt64) throws {
    let made = try makeCase(seed: seed), order = made.order
    var next = [Int](repeating: 0, count: order.groupCount)
    var wrong = 0
    var position = 0
    while position < min(order.capacity, 30_000) {
      let block = order.block(at: position)
      for draw in block.draws {
        if draw.count != next[draw.group] || draw.count >= order.capacities[draw.group] { wrong += 1 }
        next[draw.group] += 1
      }
      let some = block.positions.lowerBound + Int(seed) % block.positions.count, draw = block.draws[some - block.positions.lowerBound]
      #expect(order.position(group: draw.group, count: draw.count) == some && order.counts(before: some)[draw.group] == draw.count)
      position = block.positions.upperBound
      #expect(order.counts(before: position) == next)
      guard !made.isCapped, made.weights.count == 1 else { continue }
      let sum = made.weights[0].reduce(0, +), bound = max(1, log2(Double(order.groupCount)))
      for (group, count) in next.enumerated() where abs(Double(count) - made.weights[0][group] / sum * Double(position)) > bound {
        wrong += 1
      }
    }
    #expect(wrong == 0)
  }

  @Test func farPositionsCostAsLittle() throws {
    let order = try DrawOrder(stages: [(0, [1, 2, 1e-9, 3])], capacities: [nil, nil, nil, nil], randomSeed: 1)
    for position in [1 << 33, 1 << 42] {
      let draw = order.draw(at: position), counts = order.counts(before: position)
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
