/// A set of Unicode scalars, as ranges in order without gaps of zero between them.
package struct ScalarSet: Hashable, Sendable {
  package private(set) var ranges: [Range<UInt32>] = []

  static let limit: UInt32 = 0x110000
  package static let all = ScalarSet([0..<limit])

  init() {}

  package init(_ ranges: [Range<UInt32>]) {
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
      if let last = self.ranges.last, range.lowerBound <= last.upperBound {
        self.ranges[self.ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        self.ranges.append(range)
      }
    }
  }

  package init(_ scalars: Unicode.Scalar...) { self.init(scalars.map { $0.value..<$0.value + 1 }) }

  package var isEmpty: Bool { ranges.isEmpty }

  package var inverted: ScalarSet {
    var gaps: [Range<UInt32>] = []
    var start: UInt32 = 0
    for range in ranges {
      gaps.append(start..<range.lowerBound)
      start = range.upperBound
    }
    return ScalarSet(gaps + [start..<Self.limit])
  }

  package func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }
  package func intersection(_ other: ScalarSet) -> ScalarSet { inverted.union(other.inverted).inverted }
  package func subtracting(_ other: ScalarSet) -> ScalarSet { inverted.union(other).inverted }

  package func contains(_ scalar: Unicode.Scalar) -> Bool { ranges.contains { $0.contains(scalar.value) } }
}
