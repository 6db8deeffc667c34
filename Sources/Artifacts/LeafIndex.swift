/// The windows of each leaf: an inverted index, windows ascending within a leaf.
package struct LeafIndex: Sendable, Equatable {
  /// [leaves + 1] the start of each leaf's windows in `windows`.
  package let offsets: [Int]
  /// [windows] window numbers.
  package let windows: [UInt32]

  /// Inverts an assignment.
  /// - Parameters:
  ///   - leaves: [windows] the leaf of each window, below `leafCount`.
  ///   - leafCount: the number of leaves.
  package init(leaves: [UInt32], leafCount: Int) {
    var offsets = [Int](repeating: 0, count: leafCount + 1)
    for leaf in leaves {
      precondition(leaf < leafCount, "a leaf outside the tree")
      offsets[Int(leaf) + 1] += 1
    }
    for leaf in 0..<leafCount { offsets[leaf + 1] += offsets[leaf] }
    var next = offsets
    var windows = [UInt32](repeating: 0, count: leaves.count)
    for (window, leaf) in leaves.enumerated() {
      windows[next[Int(leaf)]] = UInt32(window)
      next[Int(leaf)] += 1
    }
    self.offsets = offsets
    self.windows = windows
  }

  package var leafCount: Int { offsets.count - 1 }

  package func count(of leaf: Int) -> Int { offsets[leaf + 1] - offsets[leaf] }

  /// The windows of a leaf, ascending.
  package func windows(of leaf: Int) -> ArraySlice<UInt32> { windows[offsets[leaf]..<offsets[leaf + 1]] }

  /// The windows of every leaf, for the loader.
  package var lists: [[UInt32]] { (0..<leafCount).map { Array(windows(of: $0)) } }
}
