import CKernels

/// Reads shingles back as sorted sets and compares them. Each thread needs its own instance.
final class ShingleSets {
  private let shingles: SpillBuffer<UInt32>
  private var first: [UInt32] = []
  private var firstDocument: UInt32?
  private var second: [UInt32] = []
  private var scratch: [UInt32] = []

  init(_ shingles: SpillBuffer<UInt32>) { self.shingles = shingles }

  /// The Jaccard similarity of two documents. Consecutive pairs with the same `a` read its shingles once.
  /// - Parameters:
  ///   - starts: the index of each document's first shingle.
  ///   - threshold: if the sizes of the sets rule out this similarity, the result is 0.
  /// - Throws: `WeirError` if the temporary file cannot be read.
  func similarity(_ a: UInt32, _ b: UInt32, _ starts: UnsafeBufferPointer<Int>, _ threshold: Double) throws -> Double {
    if firstDocument != a {
      firstDocument = a
      try load(&first, starts[Int(a)]..<starts[Int(a) + 1])
    }
    // An upper bound on the size of the other set, as its shingles may repeat.
    let most = starts[Int(b) + 1] - starts[Int(b)]
    guard !first.isEmpty, Double(most) >= threshold * Double(first.count) else { return 0 }
    try load(&second, starts[Int(b)]..<starts[Int(b) + 1])
    let (smaller, larger) = (min(first.count, second.count), max(first.count, second.count))
    guard smaller > 0, Double(smaller) >= threshold * Double(larger) else { return 0 }
    let shared = weir_intersection(first, first.count, second, second.count)
    return Double(shared) / Double(first.count + second.count - shared)
  }

  private func load(_ set: inout [UInt32], _ range: Range<Int>) throws {
    set = try [UInt32](unsafeUninitializedCapacity: range.count) { buffer, count in
      try shingles.read(from: range.lowerBound, into: UnsafeMutableBufferPointer(rebasing: buffer[..<range.count]))
      count = range.count
    }
    if scratch.count < 2 * set.count + 1 { scratch = [UInt32](repeating: 0, count: 3 * set.count + 1) }
    let different = weir_sort_unique(&set, set.count, &scratch)
    set.removeLast(set.count - different)
  }
}
