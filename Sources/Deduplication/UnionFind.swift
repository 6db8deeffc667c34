/// Disjoint sets over `0..<count`. The smallest member is the root, so the result does not depend on the order of the unions.
struct UnionFind {
  private var parents: [Int32]

  init(count: Int) { parents = (0..<count).map { Int32($0) } }

  /// The smallest member of the element's set. Amortized nearly O(1), by path halving.
  mutating func find(_ element: Int) -> Int {
    var element = element
    while Int(parents[element]) != element {
      parents[element] = parents[Int(parents[element])]
      element = Int(parents[element])
    }
    return element
  }

  mutating func union(_ a: Int, _ b: Int) {
    let left = find(a)
    let right = find(b)
    if left < right { parents[right] = Int32(left) } else { parents[left] = Int32(right) }
  }
}
